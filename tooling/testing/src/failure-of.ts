/** What a promise is rejected with; fails where it is fulfilled. */
export async function failureOf(work: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a failure and got ${JSON.stringify(value)}`);
}
