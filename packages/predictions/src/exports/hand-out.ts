/**
 * What `run` hands over, one at a time: `hand` resolves when the consumer asks for the next. Where the consumer leaves early
 * or `signal` aborts, `hand` throws, so that `run` ends what it holds; the consumer's leaving waits for that.
 *
 * @throws what `run` throws; the reason of `signal`.
 */
export async function* handOut<Chunk>(
  run: (hand: (chunk: Chunk) => Promise<void>) => Promise<void>,
  signal?: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  signal?.throwIfAborted();
  const left = new Error('The consumer has left.');
  let offered: { readonly chunk: Chunk } | undefined;
  let onOffer = () => {};
  let onTaken = () => {};
  let refuse: (reason: unknown) => void = () => {};
  let isOver = false;

  const hand = async (chunk: Chunk) => {
    signal?.throwIfAborted();
    const taken = new Promise<void>((resolve, reject) => {
      onTaken = resolve;
      refuse = reject;
    });
    offered = { chunk };
    onOffer();
    await taken;
  };
  const abort = () => refuse(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });

  const running = run(hand).finally(() => {
    isOver = true;
    onOffer();
  });
  // Its failure is heard when the consumer comes back.
  running.catch(() => {});
  try {
    for (;;) {
      if (offered === undefined && !isOver) {
        await new Promise<void>((resolve) => {
          onOffer = resolve;
        });
      }
      if (offered === undefined) return await running;
      const { chunk } = offered;
      offered = undefined;
      yield chunk;
      onTaken();
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    refuse(left);
    await running.catch(() => {});
  }
}
