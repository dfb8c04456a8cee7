// Lets a file anywhere in the checkout import the packages: the root has no dependencies, the example has them.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// Registered by the program itself; Node reads this file again on the thread of the hooks.
if (isMainThread) register(import.meta.url);

const example = new URL('../examples/flights/package.json', import.meta.url).href;

export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || /^[./]|:/.test(specifier)) throw error;
    return await nextResolve(specifier, { ...context, parentURL: example });
  }
}
