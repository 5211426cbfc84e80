import type { TestHouse } from "./house.ts";
import { codeIn } from "./mails.ts";

/** Asks for a password reset and takes the code out of its mail. Winds the clock, so that this mail is the newest. */
export const resetCode = async (house: TestHouse, email: string): Promise<string> => {
  house.clock.advance(1000);
  await house.send("POST", "/api/me/password_reset/request", { json: { email } });
  return codeIn(await house.mailTo(email));
};
