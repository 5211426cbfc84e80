import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { codeIn } from "../support/mails.ts";
import { heading, keepSession, press, ready, signIn, signUp, type } from "../support/at-page.ts";
import { expectAccessible } from "../support/axe.ts";
import { closeBrowser, visit, type Visitor } from "../support/browser.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { resetCode } from "../support/reset.ts";

/** One with the defaults, one that verifies first, and one that shows no token and erases at once. */
let open: TestHouse;
let careful: TestHouse;
let terse: TestHouse;
let visitors: ReadonlyMap<TestHouse, Visitor>;

beforeAll(async () => {
  open = await startHouse(roomy);
  careful = await startHouse({ ...roomy, LATCHKEY_REQUIRE_VERIFIED_EMAIL: "true" });
  terse = await startHouse({ ...roomy, LATCHKEY_REVEAL_TOKEN: "false", LATCHKEY_CLOSE_GRACE_DAYS: "0" });
  const houses = [open, careful, terse];
  visitors = new Map(await Promise.all(houses.map(async (house) => [house, await visit(house)] as const)));
});
afterAll(async () => {
  await closeBrowser();
  await stopHouses();
});

/** A page of the house, in the hands of this person or of nobody. */
const pageFor = async (house: TestHouse, person?: Person): Promise<Page> => {
  const visitor = visitors.get(house);
  if (!visitor) throw new Error("Nobody visits this house");
  await visitor.context.clearCookies();
  if (person) await keepSession(visitor.context, person.session);
  return visitor.page;
};

type Scene = (path: string) => Promise<Page>;

const at =
  (rest = "", house = (): TestHouse => open): Scene =>
  async (path) => {
    const page = await pageFor(house());
    await page.goto(path + rest);
    await ready(page);
    return page;
  };

const signedIn =
  (act: (page: Page, person: Person) => Promise<void> = async () => {}, house = () => open): Scene =>
  async (path) => {
    const person = await house().person();
    const page = await pageFor(house(), person);
    await page.goto(path);
    await ready(page);
    await act(page, person);
    return page;
  };

const then =
  (scene: Scene, act: (page: Page) => Promise<void>): Scene =>
  async (path) => {
    const page = await scene(path);
    await act(page);
    return page;
  };

const text = (page: Page, part: string): Promise<void> => page.getByText(part).first().waitFor();

/** Takes the session cookie away before the page can ask whether it came back. */
const loseCookie = (page: Page): Promise<unknown> =>
  page.route("**/api/sessions", async (route) => {
    if (route.request().method() === "GET") await page.context().clearCookies();
    await route.continue();
  });

const manyEvents = async (house: TestHouse, { email, session }: Person): Promise<void> => {
  for (let count = 0; count < 60; count++) {
    await house.send("POST", "/api/sessions", { json: { email, password: "wrong" } });
  }
  await house.send("POST", "/api/v9/me/reset_token", { session });
};

const scenes: Readonly<Record<string, Readonly<Record<string, Scene>>>> = {
  "/": { "signed out": at(), "signed in": signedIn() },
  "/signup": {
    empty: at(),
    "with nothing filled in": then(at(), async (page) => {
      await press(page, "Create account");
      await text(page, "Enter your email address.");
    }),
    "with a weak password": then(at(), async (page) => {
      await signUp(page, "someone@example.com", { password: "password" });
      await text(page, "Too many people use this password");
    }),
    "after sending": then(
      at("", () => careful),
      async (page) => {
        await signUp(page, "newcomer@example.com");
        await heading(page, "Check your mail");
        await press(page, "Send another one");
        await text(page, "another mail is on its way");
      },
    ),
    "without the cookie": then(at(), async (page) => {
      await loseCookie(page);
      await signUp(page, "cookieless@example.com");
      await heading(page, "Your browser did not keep the session");
      await page.unrouteAll();
    }),
    "signed in already": signedIn(),
  },
  "/login": {
    empty: at(),
    "on the way elsewhere": at("?next=/account/tokens"),
    "with a notice": at("?notice=signed-out"),
    "with nothing filled in": then(at(), async (page) => {
      await press(page, "Sign in");
      await text(page, "Enter a password.");
    }),
    "with a wrong password": then(at(), async (page) => {
      await signIn(page, "nobody@example.com", { password: "wrong" });
      await text(page, "Wrong email or password");
    }),
    "before the address is verified": then(
      at("", () => careful),
      async (page) => {
        const email = "unverified@example.com";
        const password = "a quiet river at noon";
        await careful.send("POST", "/api/signup", { json: { email, password, tos_accepted_for: "track" } });
        await signIn(page, email);
        await text(page, "Confirm your email address first");
      },
    ),
    "signed in already": signedIn(),
  },
  "/forgot": {
    empty: at(),
    "with nothing filled in": then(at(), async (page) => {
      await press(page, "Send the code");
      await text(page, "Enter your email address.");
    }),
    "after sending": then(at(), async (page) => {
      await type(page, { Email: "nobody@example.com" });
      await press(page, "Send the code");
      await heading(page, "Check your mail");
    }),
    "signed in": signedIn(),
  },
  "/reset": {
    "without a code": at(),
    "from the mail": at("#0123456789abcdefghjkmnpqrs"),
    "with a code that is none": then(at(), async (page) => {
      await type(page, { Code: "nonsense", "New password": "a quiet river at noon" });
      await press(page, "Set the password");
      await text(page, "This code is not valid");
    }),
    "with both fields wrong": then(at(), async (page) => {
      await press(page, "Set the password");
      await text(page, "Enter the code from the mail.");
    }),
    "signed in": signedIn(),
  },
  "/verify": {
    "signed out": at(),
    "with a code that is none": then(at("#nonsense"), async (page) => {
      await press(page, "Confirm");
      await text(page, "This code is not valid");
    }),
    "signed in": signedIn(),
    confirmed: signedIn(async (page, { email }) => {
      await type(page, { Code: codeIn(await open.mailTo(email)) });
      await press(page, "Confirm");
      await heading(page, "Your address is confirmed");
    }),
  },
  "/undo-close": {
    "without a code": at(),
    "with a code that is none": then(at("#nonsense"), async (page) => {
      await type(page, { "New password": "another river at dusk" });
      await press(page, "Take it back");
      await text(page, "This code is not valid");
    }),
    "taken back": signedIn(async (page, { email, password, session }) => {
      const json = { current_password: password };
      await open.send("POST", "/api/me/close_account/track", { session, json });
      const code = codeIn(await open.mailTo(email, "Your account was closed"));
      await type(page, { Code: code, "New password": "another river at dusk" });
      await press(page, "Take it back");
      await heading(page, "Your account is yours again");
    }),
  },
  "/account": {
    unverified: signedIn(async (page) => {
      await page.goto("/account?notice=welcome");
      await text(page, "Not confirmed");
    }),
    "verified, with a change of the address open": signedIn(async (page, { email, password, session }) => {
      const code = codeIn(await open.mailTo(email));
      await open.send("POST", `/api/me/email_verification/confirm/${code}`, { session });
      const json = { email: `new-${email}`, current_password: password };
      await open.send("POST", "/api/me/email_change/request", { session, json });
      await page.reload();
      await text(page, `Waiting for new-${email}`);
    }),
    "with every field wrong": signedIn(async (page) => {
      await press(page, "Change address");
      await type(page, { Name: "" });
      for (const name of ["Save", "Change address", "Change password"]) await press(page, name);
      await text(page, "Enter a name.");
      await text(page, "Enter a password.");
    }),
    "all saved": signedIn(async (page, { password }) => {
      await press(page, "Save");
      await text(page, "Saved.");
      const form = page.getByRole("form", { name: "Change password" });
      await form.getByLabel("Current password").fill(password);
      await form.getByLabel("New password").fill("an old mill at the ford");
      await press(page, "Change password");
      await text(page, "Your password is changed");
    }),
  },
  "/account/tokens": {
    masked: signedIn(),
    shown: signedIn(async (page) => {
      await press(page, "Show API token");
      await page.getByRole("button", { name: "Copy API token" }).first().click();
    }),
    "about to be replaced": signedIn((page) => press(page, "Replace…")),
    replaced: signedIn(async (page) => {
      await press(page, "Replace…");
      await press(page, "Replace the token");
      await text(page, "This is your new token.");
    }),
    "not shown any more": signedIn(
      (page) => text(page, "only once"),
      () => terse,
    ),
    none: signedIn(async (page, person) => {
      const { use } = open.inside.accounts;
      const account = await use.findAccount(person.email);
      if (typeof account !== "object") throw new Error("No such account");
      await use.revokeToken(account.id, { channel: "cli", peer: {} });
      await page.reload();
      await text(page, "You have no API token at the moment.");
    }),
  },
  "/account/sessions": {
    "this one only": signedIn((page) => text(page, "You are signed in here only.")),
    "others, and much that happened": signedIn(async (page, person) => {
      const { email, password } = person;
      await open.send("POST", "/api/sessions", { json: { email, password, remember_me: true } });
      await manyEvents(open, person);
      await page.reload();
      await page.getByRole("button", { name: "Show earlier" }).waitFor();
    }),
  },
  "/account/close": {
    empty: signedIn(),
    "with a wrong password": signedIn(async (page) => {
      await type(page, { "Current password": "wrong" });
      await press(page, "Close the account");
      await text(page, "This is not your current password.");
    }),
    closed: signedIn(async (page, { password }) => {
      await type(page, { "Current password": password });
      await press(page, "Close the account");
      await heading(page, "Your account is closed");
    }),
    "where nothing is kept": signedIn(
      (page) => text(page, "erased at once"),
      () => terse,
    ),
  },
  "/dev/mail": {
    "with mails": signedIn(async (page, { email }) => {
      await resetCode(open, email);
      await page.reload();
      await page.getByRole("heading", { name: "Reset your password" }).first().waitFor();
    }),
    "with none": async (path) => {
      const { page } = await visit(await startHouse());
      await page.goto(path);
      await text(page, "No mails yet.");
      return page;
    },
  },
};

test("every page there is has its scenes here", () => {
  expect(Object.keys(scenes)).toEqual(pages.map(({ path }) => path));
  const names = Object.entries(scenes).flatMap(([path, states]) =>
    Object.keys(states).map((state) => `${path} ${state}`),
  );
  expect(names).toEqual(expect.arrayContaining([...inTheDark]));
});

/** One or two for each style sheet, with the notices, marks and boxes in it that have colors of their own. */
const inTheDark: readonly string[] = [
  "/ signed in",
  "/login with a notice",
  "/login with a wrong password",
  "/account all saved",
  "/account with every field wrong",
  "/account/tokens about to be replaced",
  "/account/sessions others, and much that happened",
  "/dev/mail with mails",
];

for (const [path, states] of Object.entries(scenes)) {
  for (const [state, scene] of Object.entries(states)) {
    test(`${path} ${state}: nothing for axe to complain of`, async () => {
      await expectAccessible(await scene(path), { dark: inTheDark.includes(`${path} ${state}`) });
    });
  }
}

test("the pages that tell of a refusal: nothing for axe to complain of", async () => {
  const page = await pageFor(open);
  expect((await page.goto("/no/such/page"))?.status()).toBe(404);
  await expectAccessible(page);
  expect((await page.goto(`http://127.0.0.1:${open.config.port}/login`))?.status()).toBe(421);
  await expectAccessible(page);
});
