/** Paths as rows write them: `{name}` for what varies, and at the end `{name*}` for the rest, slashes included. */

type Bare<Name extends string> = Name extends `${infer Rest}*` ? Rest : Name;

type NameOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Behind}`
  ? Bare<Name> | NameOf<Behind>
  : never;

/** What varies in a path, by name: of `/a/{b}/{c*}`, `b` and `c`. */
export type Params<Path extends string> = { readonly [Name in NameOf<Path>]: string };

/** As the router spells it. */
export const urlOf = (path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, ":$1").replace(/\{\w+\*\}$/, "*");

/** Whether a path of a request is one of the row's. */
export const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replaceAll(".", "\\.")
      .replace(/\{\w+\*\}$/, ".*")
      .replaceAll(/\{\w+\}/g, "[^/]+")}/?$`,
  );

/** Takes the values of a path from the router. @throws Error when they are those of another path: a bug */
export const paramsReader = <Path extends string>(
  path: Path,
): ((values: Readonly<Record<string, string>>) => Params<Path>) => {
  const names = [...path.matchAll(/\{(\w+)(\*?)\}/g)].map(
    ([, name = "", rest]) => [name, rest === "*" ? "*" : name] as const,
  );
  const isWhole = (params: Readonly<Record<string, string>>): params is Params<Path> =>
    names.every(([name]) => name in params);
  return (values) => {
    const params = Object.fromEntries(
      names.flatMap(([name, routers]) => {
        const value = values[routers];
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
    if (!isWhole(params)) throw new Error(`The router gave other values than those of ${path}.`);
    return params;
  };
};
