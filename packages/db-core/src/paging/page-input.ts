import { z } from 'zod';

/**
 * What callers of a list give to get a page of it. A list with more to say spreads the shape:
 * `z.strictObject({ ...PageInput.shape, name: … })`. The range of the limit is the function's own, checked by `page`.
 */
export const PageInput = z.strictObject({
  /** Rows of the page, 1 to the maximum that the function allows. */
  limit: z.number().optional(),
  /** `nextCursor` of the page before, with the same filter and order. */
  cursor: z.string().optional(),
});
export type PageInput = Readonly<z.input<typeof PageInput>>;
