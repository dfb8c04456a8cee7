/** The rows that the rules look at. Everything is of schema `public` and no extension's, unless a `schema` says otherwise. */
export interface Catalog {
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
  readonly roles: readonly RoleRow[];
  readonly memberships: readonly { readonly role: string; readonly member: string }[];
  readonly ownerships: readonly OwnershipRow[];
  readonly settings: readonly SettingRow[];
  readonly parameterGrants: readonly (Grant & { readonly parameter: string })[];
  readonly createGrants: readonly { readonly object: string; readonly grantee: string }[];
  readonly defaultGrants: readonly DefaultGrantRow[];
  readonly publications: readonly PublicationRow[];
  readonly extensions: readonly { readonly name: string }[];
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

export interface Grant {
  /** A role's name, or PUBLIC. */
  readonly grantee: string;
  /** In lower case: `select`. */
  readonly privilege: string;
  readonly grantable: boolean;
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
  /** Names of the settings in its SET clauses. */
  readonly settings: readonly string[];
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
  readonly owner: string;
  readonly grantees: readonly string[];
}

export interface RoleRow {
  readonly name: string;
  readonly superuser: boolean;
  readonly bypassRls: boolean;
  readonly createRole: boolean;
  readonly createDb: boolean;
  readonly login: boolean;
  readonly replication: boolean;
}

interface OwnershipRow {
  readonly role: string;
  readonly count: number;
  /** One of the objects, as `table model_registry`. */
  readonly example: string;
}

/** What ALTER ROLE … SET and ALTER DATABASE … SET left; the value is not read. */
interface SettingRow {
  readonly role: string | null;
  readonly everyDatabase: boolean;
  readonly setting: string;
}

interface DefaultGrantRow extends Grant {
  readonly owner: string;
  readonly objects: 'tables' | 'sequences' | 'functions' | 'types' | 'schemas';
}

interface PublicationRow {
  readonly name: string;
  readonly table: string;
  /** Its row filter names tenant_id. */
  readonly filtered: boolean;
}
