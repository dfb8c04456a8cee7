import { fileURLToPath } from 'node:url';

/** The folder of the migrations that the installed package brings, for `migrate({ url, directory })`. */
export const packedMigrations: string = fileURLToPath(new URL('../migrations', import.meta.url));
