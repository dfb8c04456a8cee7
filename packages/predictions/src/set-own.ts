/** Sets a member of a record, of whatever name: to assign `__proto__` would set none. */
export function setOwn<Value>(record: Record<string, Value>, name: string, value: Value): void {
  if (name !== '__proto__') record[name] = value;
  else Object.defineProperty(record, name, { value, configurable: true, enumerable: true, writable: true });
}
