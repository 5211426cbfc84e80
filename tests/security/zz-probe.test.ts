import { afterAll, test, expect } from "vitest";
import { behindProxy, confirmReset, elsewhere, mailedDuring, requestReset, signIn, signUp, subjects, times } from "../support/attacks.ts";
import { roomy, startHouse, stopHouses } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";
afterAll(stopHouses);
const password = "a quiet river at noon";
test("probe: reset requests racing with a move", async () => {
  const house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_HASHES: "64" });
  const twin = await house.twin();
  let bad = 0;
  for (let round = 0; round < 15; round += 1) {
    const address = `old${round}@example.com`;
    const session = sessionOf(await signUp(house, address, password, elsewhere()));
    const mails = await mailedDuring(house, async () => {
      const asking = times(30, (i) => requestReset(i % 2 ? house : twin, address));
      const moved = await house.send("PUT", "/api/v9/me", { session, headers: elsewhere(), json: { current_password: password, email: `new${round}@example.com` } });
      expect(moved.status).toBe(200);
      await asking;
    });
    for (const mail of mails.filter((m) => m.to === address && m.subject === subjects.reset)) {
      const code = /^[0-9a-hjkmnp-tv-z]{26}$/m.exec(mail.text)?.[0] ?? "";
      const r = await confirmReset(house, code, "taken over by another");
      if (r.status === 200) bad += 1;
    }
    void signIn;
  }
  expect(bad).toBe(0);
}, 120_000);
