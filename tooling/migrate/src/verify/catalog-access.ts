/** Who may do what, in the database and in its cluster. */
export interface CatalogAccess {
  readonly roles: readonly RoleRow[];
  readonly memberships: readonly MembershipRow[];
  readonly ownerships: readonly OwnershipRow[];
  readonly settings: readonly SettingRow[];
  readonly parameterGrants: readonly (Grant & { readonly parameter: string })[];
  readonly createGrants: readonly { readonly object: string; readonly grantee: string }[];
  readonly defaultGrants: readonly DefaultGrantRow[];
  readonly schemaGrants: readonly (Grant & { readonly schema: string })[];
  readonly systemGrants: readonly SystemGrantRow[];
  readonly extensions: readonly ExtensionRow[];
  readonly foreignServers: readonly { readonly name: string }[];
  readonly largeObjects: readonly LargeObjectRow[];
}

export interface Grant {
  /** A role's name, or PUBLIC. */
  readonly grantee: string;
  /** In lower case: `select`. */
  readonly privilege: string;
  readonly grantable: boolean;
}

export interface RoleRow {
  readonly name: string;
  readonly superuser: boolean;
  readonly bypassRls: boolean;
  readonly createRole: boolean;
  readonly createDb: boolean;
  readonly login: boolean;
  readonly replication: boolean;
  readonly ownsOtherDatabase: boolean;
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

/** Who is a member of `role` directly. */
interface MembershipRow {
  readonly role: string;
  readonly member: string;
  /** With ADMIN OPTION: the member may make others members. */
  readonly admin: boolean;
}

/** A grant on something of the server's or an extension's that it did not come with. */
interface SystemGrantRow extends Grant {
  /** As GRANT and REVOKE name it: `table pg_catalog.pg_statistic`. */
  readonly object: string;
}

interface ExtensionRow {
  readonly name: string;
  /** Who may read what its views and functions show, of those that pg_stat_statements has; PUBLIC among them. */
  readonly readers: readonly string[];
  /** Tables, views, sequences and functions of the owner that count as the extension's, as `table public.odd`. */
  readonly ownMembers: readonly string[];
}

interface LargeObjectRow {
  readonly owner: string;
  readonly count: number;
  readonly grantees: readonly string[];
}
