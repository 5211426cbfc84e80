/** JSON of strangers, and values in it by their paths: `data.user.id`, `0.name`. */

/** @returns undefined when it is not JSON */
export const jsonOf = (body: Buffer | string): unknown => {
  const text = (typeof body === "string" ? body : body.toString("utf8")).replace(/^\ufeff/, "");
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const isPath = (text: string): boolean => /^[\w-]+(\.[\w-]+)*$/.test(text);

const step = (value: unknown, key: string): unknown => {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return /^\d{1,6}$/.test(key) ? items[Number(key)] : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  // Its own, and not what every object inherits.
  return Object.getOwnPropertyDescriptor(value, key)?.value;
};

/** @returns undefined when there is nothing */
export const valueAt = (json: unknown, path: string): unknown => path.split(".").reduce<unknown>(step, json);

/** A value as patterns are tried on it; undefined for objects, lists, and what is not there. */
export const textAt = (json: unknown, path: string): string | undefined => {
  const value = valueAt(json, path);
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" || value === null
    ? String(value)
    : undefined;
};
