/** A line of a tenant's report; one without a title goes on with what the line above began. */
export const print = (title: string, text: string) => console.log(`  ${title.padEnd(10)}  ${text}`);

/** To four places. */
export const fixed = (value: unknown) => Number(value).toFixed(4);
