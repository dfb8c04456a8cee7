/** Who all changes of the example are recorded for. */
export const actor = 'flights-example';
