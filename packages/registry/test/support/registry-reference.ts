import { legalMoves, type ModelStage } from '../../src/index.ts';

/** One call of the registry, as plain data. */
export type Operation =
  | {
      readonly do: 'create' | 'deleteModel' | 'purgeModel' | 'restoreModel' | 'rollback' | 'list';
      readonly name: string;
    }
  | { readonly do: 'register'; readonly name: string; readonly version: string | undefined }
  | { readonly do: 'rename'; readonly name: string; readonly newName: string }
  | {
      readonly do: 'deleteVersion' | 'purgeVersion' | 'restoreVersion';
      readonly name: string;
      readonly version: string;
    }
  | {
      readonly do: 'alias';
      readonly name: string;
      readonly alias: string;
      readonly version: string | null;
      readonly expected: string | null | undefined;
    }
  | {
      readonly do: 'stage';
      readonly name: string;
      readonly version: string;
      readonly stage: ModelStage;
      readonly expected: ModelStage | undefined;
    }
  | { readonly do: 'resolve'; readonly name: string; readonly by: '@champion' | '/1' | ':production' };

/** What a call gave, or the code that it was refused with. Of several equal answers any may be given. */
export type Outcome =
  | { readonly refused: string }
  | { readonly gave: unknown }
  | { readonly oneOf: readonly unknown[] };

interface Version {
  stage: ModelStage;
  enteredBy: number;
  /** The change that deleted it. */
  deletedBy: number | null;
}

interface Change {
  readonly promotes: boolean;
  readonly moves: readonly { readonly key: string; readonly from: ModelStage; readonly to: ModelStage }[];
  undone: boolean;
}

interface Model {
  /** Versions inserted by hand may bear a name that has no row of its own yet. */
  hasRow: boolean;
  deletedBy: number | null;
  lastNumber: number;
  changes: Change[];
  /** By name and, so that a name that was purged and given again is another version, a count of its births. */
  versions: Record<string, Version>;
  aliases: Record<string, string>;
  births: number;
}

/** All models of a tenant: plain data, so that a copy is a `structuredClone`. */
export type Registry = Record<string, Model>;

const refused = (code: string): Outcome => ({ refused: code });
const notFound = refused('not_found');
const nameOf = (key: string) => key.slice(0, key.indexOf(' '));
const number = (version: string) => (/^[1-9]\d{0,8}$/.test(version) ? Number(version) : 0);

const blank = (): Model => ({
  hasRow: false,
  deletedBy: null,
  lastNumber: 0,
  changes: [],
  versions: {},
  aliases: {},
  births: 0,
});

export function insertByHand(registry: Registry, name: string, version: string): void {
  const model = (registry[name] ??= blank());
  model.versions[`${version} ${model.births++}`] = { stage: 'development', enteredBy: 0, deletedBy: null };
}

const keysOf = (model: Model) => Object.keys(model.versions);
const keyOf = (model: Model, version: string) => keysOf(model).find((key) => nameOf(key) === version);
const live = (model: Model) => Object.entries(model.versions).filter(([, { deletedBy }]) => deletedBy === null);

function change(model: Model, moves: Change['moves'] = [], promotes = false): number {
  model.changes.push({ moves, promotes, undone: false });
  const by = model.changes.length;
  for (const { key, to } of moves) {
    const version = model.versions[key];
    if (version !== undefined) Object.assign(version, { stage: to, enteredBy: by });
  }
  return by;
}

/** The model as the lock finds it. */
function locked(registry: Registry, name: string): Model | undefined {
  const model = registry[name];
  if (model === undefined || model.deletedBy !== null) return undefined;
  if (!model.hasRow && live(model).length === 0) return undefined;
  model.hasRow = true;
  return model;
}

const back = (version: Version, by: number) => {
  const stage = version.stage === 'production' ? 'archived' : version.stage;
  Object.assign(version, { deletedBy: null, stage, enteredBy: by });
};

/** Makes one call on the registry, in place, and says what it gives. */
export function apply(registry: Registry, operation: Operation): Outcome {
  const { name } = operation;
  switch (operation.do) {
    case 'create': {
      if (registry[name]?.hasRow) return refused('already_exists');
      (registry[name] ??= blank()).hasRow = true;
      return { gave: name };
    }
    case 'register':
      return register(registry, name, operation.version);
    case 'rename':
      return rename(registry, name, operation.newName);
    case 'purgeModel':
    case 'deleteModel': {
      const gone = operation.do === 'purgeModel' && registry[name]?.deletedBy != null;
      const model = gone ? registry[name] : locked(registry, name);
      if (model === undefined) return notFound;
      const by = change(model);
      for (const [, version] of live(model)) version.deletedBy = by;
      Object.assign(model, { aliases: {}, deletedBy: by });
      if (operation.do === 'purgeModel') delete registry[name];
      return { gave: name };
    }
    case 'restoreModel': {
      const model = registry[name]?.deletedBy != null ? registry[name] : locked(registry, name);
      if (model === undefined) return notFound;
      if (model.deletedBy !== null) {
        const by = change(model);
        for (const version of Object.values(model.versions)) {
          if (version.deletedBy === model.deletedBy) back(version, by);
        }
        model.deletedBy = null;
      }
      return { gave: name };
    }
    case 'list': {
      const model = registry[name] ?? blank();
      const aliasesOf = (version: string) =>
        Object.keys(model.aliases)
          .filter((alias) => nameOf(model.aliases[alias] ?? ' ') === version)
          .sort();
      return { gave: inOrder(live(model).map(([key, { stage }]) => [nameOf(key), stage, ...aliasesOf(nameOf(key))])) };
    }
    case 'resolve':
      return resolve(registry[name] ?? blank(), operation.by);
    default: {
      const model = locked(registry, name);
      return model === undefined ? notFound : applyToModel(model, operation);
    }
  }
}

type OnModel = Extract<
  Operation,
  { do: 'rollback' | 'alias' | 'stage' | 'deleteVersion' | 'purgeVersion' | 'restoreVersion' }
>;

function applyToModel(model: Model, operation: OnModel | Exclude<Operation, OnModel>): Outcome {
  switch (operation.do) {
    case 'rollback': {
      const promotion = model.changes.findLast(({ promotes, undone }) => promotes && !undone);
      const stands = ({ key, to }: Change['moves'][number]) =>
        model.versions[key]?.deletedBy === null && model.versions[key].stage === to;
      if (promotion === undefined || !promotion.moves.every(stands)) return refused('failed_precondition');
      promotion.undone = true;
      const moves = promotion.moves.map(({ key, from, to }) => ({ key, from: to, to: from }));
      change(model, moves);
      return movesGiven(moves);
    }
    case 'alias': {
      const key = operation.version === null ? undefined : keyOf(model, operation.version);
      if (operation.version !== null && (key === undefined || model.versions[key]?.deletedBy !== null)) return notFound;
      const from = model.aliases[operation.alias];
      const fromVersion = from === undefined ? null : nameOf(from);
      if (operation.expected !== undefined && operation.expected !== fromVersion) return refused('conflict');
      if (key === undefined) delete model.aliases[operation.alias];
      else model.aliases[operation.alias] = key;
      if (key !== from) change(model);
      return { gave: [fromVersion, operation.version] };
    }
    case 'stage':
      return move(model, operation.version, operation.stage, operation.expected);
    case 'deleteVersion':
    case 'purgeVersion': {
      const key = keyOf(model, operation.version);
      const version = key === undefined ? undefined : model.versions[key];
      const purge = operation.do === 'purgeVersion';
      if (key === undefined || version === undefined || (version.deletedBy !== null && !purge)) return notFound;
      const by = change(model);
      version.deletedBy ??= by;
      for (const [alias, to] of Object.entries(model.aliases)) if (to === key) delete model.aliases[alias];
      if (purge) {
        delete model.versions[key];
        model.lastNumber = Math.max(model.lastNumber, number(operation.version));
      }
      return { gave: null };
    }
    case 'restoreVersion': {
      const key = keyOf(model, operation.version);
      const version = key === undefined ? undefined : model.versions[key];
      if (version === undefined) return notFound;
      if (version.deletedBy !== null) back(version, change(model));
      return { gave: version.stage };
    }
    default:
      throw new Error('It needs no lock.');
  }
}

function register(registry: Registry, name: string, wanted: string | undefined): Outcome {
  const model = (registry[name] ??= blank());
  if (model.deletedBy !== null) return refused('failed_precondition');
  model.hasRow = true;
  let version = wanted;
  if (version === undefined) {
    model.lastNumber += 1;
    if (keyOf(model, String(model.lastNumber)) !== undefined) {
      model.lastNumber = Math.max(...keysOf(model).map((key) => number(nameOf(key)))) + 1;
    }
    version = String(model.lastNumber);
  } else {
    model.lastNumber = Math.max(model.lastNumber, number(version));
    if (keyOf(model, version) !== undefined) return refused('already_exists');
  }
  const key = `${version} ${model.births++}`;
  model.versions[key] = { stage: 'development', enteredBy: change(model), deletedBy: null };
  return { gave: version };
}

function rename(registry: Registry, name: string, newName: string): Outcome {
  const model = locked(registry, name);
  if (model === undefined) return notFound;
  if (name === newName) return { gave: newName };
  const there = registry[newName];
  if (there !== undefined && (there.hasRow || keysOf(there).length > 0)) return refused('already_exists');
  change(model);
  registry[newName] = model;
  delete registry[name];
  return { gave: newName };
}

function move(model: Model, name: string, to: ModelStage, expected: ModelStage | undefined): Outcome {
  const key = keyOf(model, name);
  const version = key === undefined ? undefined : model.versions[key];
  if (key === undefined || version === undefined || version.deletedBy !== null) return notFound;
  if (expected !== undefined && expected !== version.stage) return refused('conflict');
  const from = version.stage;
  if (from !== to && !legalMoves[from].includes(to)) return refused('failed_precondition');
  const moves = from === to ? [] : [{ key, from, to }];
  if (to === 'production') {
    for (const [other, { stage }] of live(model)) {
      if (stage === to && other !== key) moves.push({ key: other, from: to, to: 'archived' });
    }
  }
  if (moves.length > 0) change(model, moves, to === 'production' && from !== to);
  return movesGiven(moves);
}

function resolve(model: Model, by: '@champion' | '/1' | ':production'): Outcome {
  const [champion] = [model.aliases['champion']];
  if (by === '@champion') return champion === undefined ? notFound : { gave: nameOf(champion) };
  if (by === '/1') return live(model).some(([key]) => nameOf(key) === '1') ? { gave: '1' } : notFound;
  const serving = live(model).filter(([, { stage }]) => stage === 'production');
  const last = Math.max(...serving.map(([, { enteredBy }]) => enteredBy));
  const names = serving.filter(([, { enteredBy }]) => enteredBy === last).map(([key]) => nameOf(key));
  return names.length === 0 ? notFound : { oneOf: names };
}

const movesGiven = (moves: Change['moves']): Outcome => ({
  gave: inOrder(moves.map(({ key, from, to }) => [nameOf(key), from, to])),
});

export const inOrder = (rows: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  rows.toSorted((one, other) => (one.join(' ') < other.join(' ') ? -1 : 1));
