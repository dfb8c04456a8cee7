const localHosts = new Set(['localhost', '127.0.0.1', '[::1]', '']);

/** True where the URL names a server of this machine. */
export function isLocalServer(url: string): boolean {
  return URL.canParse(url) && localHosts.has(new URL(url).hostname);
}
