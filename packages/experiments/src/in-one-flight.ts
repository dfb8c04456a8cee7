type Sent = () => PromiseLike<unknown>;

/**
 * Runs statements in one round trip, in their order. Of builders and functions that Promise.all is given as they are the
 * functions' statements go first: a builder sends nothing until it is awaited.
 */
export async function inOneFlight<const Statements extends readonly Sent[]>(
  ...statements: Statements
): Promise<{ [At in keyof Statements]: Awaited<ReturnType<Statements[At]>> }> {
  const results = await Promise.all(statements.map(async (send) => await send()));
  return results as { [At in keyof Statements]: Awaited<ReturnType<Statements[At]>> };
}
