import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { keepSession, press, ready, type } from "../support/at-page.ts";
import { mailedDuring, verifiedPerson } from "../support/attacks.ts";
import { closeBrowser, leave, visit, type Visitor } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";

const password = "a quiet river at noon";
const wrong = "a quiet river at dusk";

let open: TestHouse;
/** Where nobody learns which addresses have an account. */
let strict: TestHouse;
beforeAll(async () => {
  open = await startHouse(roomy);
  strict = await startHouse({ ...roomy, LATCHKEY_HIDE_ACCOUNTS: "strict" });
  for (const house of [open, strict]) {
    await verifiedPerson(house, "taken@example.com", password);
    await verifiedPerson(house, "closed@example.com", password);
    await house.send("POST", "/api/me/close_account/track", { basic: ["closed@example.com", password] });
  }
});
afterEach(leave);
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

/** Two that have an account, and one that nobody has. As long as each other: a longer line is no sign of anything. */
const addresses = ["taken@example.com", "closed@example.com", "nobody@example.com"] as const;

/** What somebody can see and hear of the page, without the address that they typed. */
const seen = async (page: Page, email: string): Promise<unknown> => {
  const { title, body, said, path } = await page.evaluate<
    Record<"title" | "body" | "said" | "path", string>
  >(`({
    title: document.title,
    body: document.body.innerHTML,
    said: document.body.innerText,
    path: location.pathname + location.search + location.hash,
  })`);
  // Names that Preact counts for its labels, and the requests of the pages, differ with nothing.
  const without = (text: string): string => text.replaceAll(email, "ADDRESS");
  return { title, body: without(body), said: without(said), path };
};

/** Everything that scripts, extensions and those who look over a shoulder learn of the calls. */
const noteAnswers = (page: Page): readonly unknown[] => {
  const answers: unknown[] = [];
  page.on("response", (response) => {
    const request = response.request();
    if (request.method() === "GET") return;
    const { date: _, "x-request-id": __, ...headers } = response.headers();
    answers.push({ path: new URL(response.url()).pathname, status: response.status(), headers });
  });
  return answers;
};

type Deed = (visitor: Visitor, email: string) => Promise<void>;

/** What each of the addresses makes somebody see. */
const seenFor = async (
  house: TestHouse,
  deed: Deed,
  tried: readonly string[],
): Promise<readonly unknown[]> => {
  const all: unknown[] = [];
  for (const email of tried) {
    const visitor = await visit(house);
    const answers = noteAnswers(visitor.page);
    await deed(visitor, email);
    expect(answers.length).toBeGreaterThan(0);
    all.push({
      ...Object(await seen(visitor.page, email)),
      answers,
      cookies: await visitor.context.cookies(),
    });
    expect(visitor.faults).toEqual([]);
    await leave();
  }
  return all;
};

const expectTheSame = (all: readonly unknown[]): void => {
  expect(all.length).toBeGreaterThan(1);
  for (const one of all) expect(one).toEqual(all[0]);
};

const houses = [
  ["as it comes", () => open],
  ["where accounts are hidden", () => strict],
] as const;

describe.each(houses)("%s", (_, houseOf) => {
  test("A05: asking for a reset code says the same of every address", async () => {
    const forgot: Deed = async ({ page }, email) => {
      await page.goto("/forgot");
      await type(page, { Email: email });
      await press(page, "Send the code");
      await page.getByText(`If there is an account for ${email}`, { exact: false }).waitFor();
    };

    let all: readonly unknown[] = [];
    const mails = await mailedDuring(houseOf(), async () => {
      all = await seenFor(houseOf(), forgot, addresses);
    });

    expectTheSame(all);
    expect(mails.map(({ to }) => to)).toEqual(["taken@example.com"]);
  });

  test("A05: a sign-in that fails says the same of every address", async () => {
    const signIn: Deed = async ({ page }, email) => {
      await page.goto("/login");
      await type(page, { Email: email, Password: wrong });
      await press(page, "Sign in");
      await page.getByText("Wrong email or password.", { exact: false }).waitFor();
    };

    expectTheSame(await seenFor(houseOf(), signIn, addresses));
  });

  test("A05: a closed account with its right password is an address that nobody has", async () => {
    const signIn: Deed = async ({ page }, email) => {
      await page.goto("/login");
      await type(page, { Email: email, Password: password });
      await press(page, "Sign in");
      await page.getByRole("alert").getByText("Wrong email or password", { exact: false }).waitFor();
    };

    expectTheSame(await seenFor(houseOf(), signIn, ["closed@example.com", "nobody@example.com"]));
  });
});

describe("where accounts are hidden", () => {
  const signUp: Deed = async ({ page }, email) => {
    await page.goto("/signup");
    await type(page, { Email: email, Password: password });
    await page.getByLabel("I accept the terms of use of this server").check();
    await press(page, "Create account");
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
  };

  test("A05: signing up, and asking for the mail once more, say the same of every address", async () => {
    const again: Deed = async (visitor, email) => {
      await signUp(visitor, email);
      await press(visitor.page, "Send another one");
      await visitor.page.getByText("If the address can be confirmed, another mail is on its way.").waitFor();
    };
    const tried = ["taken@example.com", "closed@example.com", "fresh@example.com"];

    let all: readonly unknown[] = [];
    const mails = await mailedDuring(strict, async () => {
      all = await seenFor(strict, again, tried);
    });

    expectTheSame(all);
    // Only whoever reads the mails of the address learns what is the case.
    const told = mails.filter(({ to }) => to === "fresh@example.com").map(({ subject }) => subject);
    expect(told).toEqual(["Confirm your e-mail address", "Confirm your e-mail address"]);
    expect(mails.find(({ to }) => to === "taken@example.com")?.subject).toBe("You already have an account");
  });

  test("A05: a sign-in with the right password is refused alike before and without an account", async () => {
    const visitor = await visit(strict);
    await signUp(visitor, "unverified@example.com");
    await leave();
    const signIn: Deed = async ({ page }, email) => {
      await page.goto("/login");
      await type(page, { Email: email, Password: password });
      await press(page, "Sign in");
      await page.getByRole("alert").getByText("Wrong email or password", { exact: false }).waitFor();
    };

    expectTheSame(await seenFor(strict, signIn, ["unverified@example.com", "nobody@example.com"]));
  });

  test("A05: moving to another address says the same of every address", async () => {
    const attackers = new Map<string, string>();
    for (const [index, email] of addresses.entries()) {
      attackers.set(email, await verifiedPerson(strict, `attacker${index}@example.com`, password));
    }
    const move: Deed = async ({ page, context }, email) => {
      await keepSession(context, attackers.get(email) ?? "");
      await page.goto("/account");
      await ready(page);
      await press(page, "Change address");
      await page.getByLabel("New email address", { exact: true }).fill(email);
      await page.getByLabel("Current password", { exact: true }).first().fill(password);
      await press(page, "Change address");
      await page.getByText(`Waiting for ${email}`, { exact: false }).waitFor();
      await page.reload();
      await page.getByText(`Waiting for ${email}`, { exact: false }).waitFor();
      await context.clearCookies();
    };

    const all = await seenFor(strict, move, addresses);

    const others = all.map((one) => {
      const text = JSON.stringify(one).replaceAll(/attacker\d/g, "attacker");
      return JSON.parse(text) as unknown;
    });
    expectTheSame(others);
  });
});

test("A05: without hiding, the sign-up says that an address is taken, as the API does, and nothing more", async () => {
  const { page, faults } = await visit(open);
  for (const email of ["taken@example.com", "closed@example.com"]) {
    await page.goto("/signup");
    await type(page, { Email: email, Password: password });
    await page.getByLabel("I accept the terms of use of this server").check();
    await press(page, "Create account");
    await page.getByText("There is already an account with this address.", { exact: false }).waitFor();
  }
  expect(faults).toEqual([]);
});
