import { DomainError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ConnectionPool } from './connection-pool.ts';

interface Login {
  readonly bypasses: boolean;
  readonly owns: boolean;
  readonly rolesExist: boolean;
  readonly mayEnter: boolean;
}

/** Looks at the login of a new pool: whether it can enter tenants, and whether it could do more than that. */
export async function checkLogin(
  pool: ConnectionPool,
  timeoutMs: number,
  options: { readonly requireUnprivileged: boolean; readonly logger: Logger },
): Promise<void> {
  const login = await readLogin(pool, timeoutMs);

  if (login === undefined || !login.rolesExist) {
    throw new DomainError(
      'failed_precondition',
      'The role app_tenant is missing. Run the migrations: npm run db:migrate.',
    );
  }
  if (!login.mayEnter) {
    throw new DomainError(
      'permission_denied',
      'This login may not become app_tenant. As the owner run: npm run db:grant-runtime LOGIN.',
    );
  }
  if (!login.bypasses && !login.owns) return;
  const what = login.bypasses ? 'is a superuser or bypasses row level security' : 'owns tables';
  const mend =
    'Services log in by POSTGRES_SERVICE_URL: make a login that owns nothing, then: npm run db:grant-runtime LOGIN.';
  if (options.requireUnprivileged) throw new DomainError('permission_denied', `The login ${what}. ${mend}`);
  options.logger.warn({ superuser: login.bypasses, owner: login.owns }, `The login ${what}. ${mend}`);
}

async function readLogin(pool: ConnectionPool, timeoutMs: number): Promise<Login | undefined> {
  const { connection, giveBack } = await pool.take(timeoutMs);
  try {
    const [login] = await connection.sql<Login[]>`
      select r.rolsuper or r.rolbypassrls as bypasses,
             exists (select from pg_catalog.pg_class c
                      where c.relowner = r.oid and c.relnamespace = to_regnamespace('public') and c.relkind in ('r', 'p')) as owns,
             tenant.oid is not null as "rolesExist",
             coalesce(pg_has_role(r.oid, tenant.oid,
               case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end), false) as "mayEnter"
        from pg_catalog.pg_roles r
        left join pg_catalog.pg_roles tenant on tenant.rolname = 'app_tenant'
       where r.rolname = current_user`;
    return login;
  } finally {
    giveBack();
  }
}
