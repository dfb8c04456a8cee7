export interface Barrier {
  readonly passed: Promise<void>;
  /** One more is here; the last of `parties` opens it. */
  arrive(): void;
  open(): void;
}

/** Where transactions of a provoked race wait for each other. */
export function barrier(parties = 1): Barrier {
  let waiting = parties;
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  const arrive = () => {
    waiting -= 1;
    if (waiting === 0) open();
  };
  return { passed, arrive, open };
}
