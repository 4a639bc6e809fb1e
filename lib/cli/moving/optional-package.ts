import { Failure } from '../failure.js';

/** Loads an optional peer package, which only an import needs. `use` says in the error what it is for. */
export async function optionalPackage<Package extends object>(name: string, use: string): Promise<Package> {
  try {
    const loaded = (await import(name)) as Package & { readonly default?: Package };
    return loaded.default ?? loaded;
  } catch (error) {
    const message = `${use} needs the package ${name}, which could not be loaded: npm install ${name}`;
    throw new Failure(message, undefined, { cause: error });
  }
}
