import type { CatalogAccess, Grant } from './catalog-access.ts';

/** The rows that the rules look at. Everything is of schema `public` and no extension's, unless a `schema` says otherwise. */
export interface Catalog extends CatalogAccess {
  readonly server: ServerRow;
  readonly relations: readonly RelationRow[];
  readonly columns: readonly ColumnRow[];
  readonly constraints: readonly ConstraintRow[];
  readonly indexes: readonly IndexRow[];
  readonly policies: readonly PolicyRow[];
  readonly triggers: readonly TriggerRow[];
  readonly eventTriggers: readonly { readonly name: string; readonly function: string }[];
  readonly rewriteRules: readonly { readonly relation: string; readonly name: string }[];
  readonly functions: readonly FunctionRow[];
  readonly types: readonly TypeRow[];
  readonly elsewhere: readonly ElsewhereRow[];
  readonly publications: readonly PublicationRow[];
  /** Default partitions that hold rows, or that could not be locked to look. */
  readonly defaultPartitions: readonly { readonly name: string; readonly state: 'filled' | 'busy' }[];
}

interface ServerRow {
  readonly database: string;
  /** As `server_version_num`: 180004. */
  readonly version: number;
  readonly login: string;
  readonly privileged: boolean;
  readonly schemaOwner: string;
  readonly databaseOwner: string;
}

export interface RelationRow {
  readonly name: string;
  /** As pg_class.relkind: r table, p partitioned table, v view, m materialised view, f foreign table, S sequence. */
  readonly kind: 'r' | 'p' | 'v' | 'm' | 'f' | 'S';
  readonly owner: string;
  readonly rowSecurity: boolean;
  readonly forced: boolean;
  readonly isPartition: boolean;
  readonly isDefault: boolean;
  /** The table that this is a partition of. */
  readonly parent: string | null;
  /** Tables that this one inherits from without being a partition of them. */
  readonly inherits: readonly string[];
  /** As pg_partitioned_table.partstrat: r range, l list, h hash. */
  readonly strategy: string | null;
  /** Columns of the partition key; null for an expression. */
  readonly partitionColumns: readonly (string | null)[];
  readonly comment: string | null;
  readonly options: readonly string[];
  /** The query of a view. */
  readonly definition: string | null;
  readonly grants: readonly Grant[];
}

export interface ColumnRow {
  readonly table: string;
  readonly name: string;
  /** From 1, without gaps for columns that were dropped. */
  readonly position: number;
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly identity: boolean;
  readonly generated: boolean;
  readonly deterministic: boolean;
  readonly grants: readonly Grant[];
}

export interface ConstraintRow {
  readonly table: string;
  readonly name: string;
  /** As pg_constraint.contype: p primary key, u unique, f foreign key, c check, x exclusion. */
  readonly type: 'p' | 'u' | 'f' | 'c' | 'x' | 't';
  readonly columns: readonly string[];
  readonly references: string | null;
  readonly referencedColumns: readonly string[];
  /** As pg_constraint.confmatchtype: s simple, f full. */
  readonly match: string;
  /** As pg_constraint.confdeltype: a no action, r restrict, c cascade, n set null, d set default. */
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly validated: boolean;
  readonly enforced: boolean;
  /** Operators of an exclusion, in the order of `columns`. */
  readonly operators: readonly string[];
  /** A check's condition. */
  readonly condition: string | null;
  /** It came from a partition's parent. */
  readonly inherited: boolean;
}

interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly unique: boolean;
  readonly valid: boolean;
  /** Behind a primary key, unique or exclusion constraint. */
  readonly ofConstraint: boolean;
  readonly inherited: boolean;
  /** Key columns and expressions. */
  readonly columns: readonly string[];
  /** The first key compares by its column's own collation and by the default operator class. */
  readonly firstAsDeclared: boolean;
}

export interface PolicyRow {
  readonly table: string;
  readonly name: string;
  /** As pg_policy.polcmd: * all, r select, a insert, w update, d delete. */
  readonly command: string;
  readonly permissive: boolean;
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly withCheck: string | null;
}

interface TriggerRow {
  readonly table: string;
  readonly name: string;
  /** Made by the server for a foreign key. */
  readonly internal: boolean;
  readonly enabled: boolean;
  readonly constraint: string | null;
}

/** Of every schema that is not the server's. */
export interface FunctionRow {
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly securityDefiner: boolean;
  readonly leakproof: boolean;
  readonly volatility: 'i' | 's' | 'v';
  readonly aggregate: boolean;
  readonly language: string;
  /** Who may call it: roles, and PUBLIC. */
  readonly callers: readonly string[];
  /** Names of the settings in its SET clauses. */
  readonly settings: readonly string[];
  /** Of an aggregate, the names of its functions. */
  readonly body: string;
}

interface TypeRow {
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly isEnum: boolean;
}

/** A relation outside of `public` that is not the server's. */
interface ElsewhereRow {
  readonly schema: string;
  readonly name: string;
  /** As RelationRow.kind. */
  readonly kind: RelationRow['kind'];
  readonly owner: string;
  readonly grantees: readonly string[];
}

interface PublicationRow {
  readonly name: string;
  readonly table: string;
  /** Its row filter lets one tenant through. */
  readonly filtered: boolean;
}
