/** Times as people say them. The API gives RFC 3339; what is shown is in the zone and the manner of the browser. */

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const dayOf = (at: string): string => day.format(new Date(at));
export const minuteOf = (at: string): string => minute.format(new Date(at));

const steps = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** "3 hours ago"; for what is longer ago than a month, the day. */
export const agoOf = (at: string, now = Date.now()): string => {
  const seconds = Math.round((Date.parse(at) - now) / 1000);
  if (Math.abs(seconds) > 30 * 86_400) return dayOf(at);
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, "second");
};
