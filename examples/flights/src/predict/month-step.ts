/** How far the month is; waited for. */
export type OnStep = (step: 'asked' | 'submitted' | 'claimed' | 'predicted' | 'delivered') => Promise<void> | undefined;
