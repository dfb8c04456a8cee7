/**
 * What two spellings of one actor share: without the spaces around it, in one case and in Unicode's NFKC. Gates count by it,
 * so that nobody is two people by a capital letter; empty where nothing is left.
 */
export const actorIdentity = (actor: string): string => actor.normalize('NFKC').trim().toLowerCase();
