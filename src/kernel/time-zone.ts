/** Whether this is the name of a time zone of the IANA database, such as `Europe/Tallinn` or `UTC`. */
export const isTimeZone = (name: string): boolean => {
  // Intl takes offsets such as +02:00 too, which are no names.
  if (name.length > 64 || !/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false; // RangeError: the database has no such zone
  }
};
