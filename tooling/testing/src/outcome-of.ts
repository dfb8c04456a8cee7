/** A result or an error, as a caller sees it: for what must look the same to those who may not tell it apart. */
export async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await work };
  } catch (error) {
    const { name, code, message, details } = error as Error & { readonly code?: unknown; readonly details?: unknown };
    return { name, code, message, details };
  }
}
