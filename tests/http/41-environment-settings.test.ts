import { afterAll, beforeAll, expect, test } from "vitest";
import {
  auditLines,
  codeOf,
  connectClient,
  connectSession,
  done,
  environmentKey,
  refusalOf,
  type ConnectClient,
} from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf } from "../support/shapes.ts";

/** What the form looks like in an environment, and who may say so. */

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(stopHouses);

type World = { readonly environment: string; readonly app: ConnectClient };

let worlds = 0;
const newWorld = async (): Promise<World> => {
  const environment = `looks-${++worlds}`;
  await house.inside.connect.use.createEnvironment({ name: environment, connectOrigins: [] });
  return { environment, app: connectClient(house, await environmentKey(house, environment)) };
};

const usual = {
  connect_origins: [],
  app_name: null,
  theme: "system",
  light_colour: "#2f5bea",
  dark_colour: "#93b1ff",
};

const settingsOf = async ({ app }: World): Promise<unknown> => (await done(app.get("/environment")))["data"];

test("settings that nobody has made are the usual ones", async () => {
  const world = await newWorld();
  expect(await settingsOf(world)).toEqual({ name: world.environment, ...usual });
});

test("each is changed by itself, and what is not named stays", async () => {
  const world = await newWorld();
  const { environment: name, app } = world;
  const steps = [
    [{ app_name: "  Acme Time " }, { app_name: "Acme Time" }],
    [{ theme: "dark" }, { app_name: "Acme Time", theme: "dark" }],
    [{ light_colour: "#FF8800" }, { app_name: "Acme Time", theme: "dark", light_colour: "#ff8800" }],
    [
      { app_name: null, connect_origins: ["https://App.example.com/", "https://app.example.com"] },
      { theme: "dark", light_colour: "#ff8800", connect_origins: ["https://app.example.com"] },
    ],
  ] as const;
  for (const [change, now] of steps) {
    const expected = { name, ...usual, ...now };
    expect((await done(app.patch("/environment", change)))["data"]).toEqual(expected);
    expect(await settingsOf(world)).toEqual(expected);
  }
});

test("the form has them at once, and another environment's does not", async () => {
  const [one, two] = [await newWorld(), await newWorld()];
  const form = async ({ app }: World): Promise<unknown> => {
    const session = connectClient(house, await connectSession(app));
    const { app_name, theme, light_colour } = fieldsOf((await done(session.get("/connect/form")))["data"]);
    return [app_name, theme, light_colour];
  };
  await done(one.app.patch("/environment", { app_name: "Acme", theme: "light", light_colour: "#000000" }));

  expect(await form(one)).toEqual(["Acme", "light", "#000000"]);
  expect(await form(two)).toEqual([null, "system", "#2f5bea"]);
});

test.for([
  [{}, ""],
  [{ app_name: "" }, "app_name"],
  [{ app_name: "   " }, "app_name"],
  [{ app_name: "x".repeat(65) }, "app_name"],
  [{ app_name: "two\nlines" }, "app_name"],
  [{ app_name: "Acme \u202eemca" }, "app_name"],
  [{ app_name: 7 }, "app_name"],
  [{ theme: "blue" }, "theme"],
  [{ theme: null }, "theme"],
  [{ light_colour: "red" }, "light_colour"],
  [{ light_colour: "#fff" }, "light_colour"],
  [{ dark_colour: "#12345g" }, "dark_colour"],
  [{ dark_colour: "#2f5bea;}*{display:none" }, "dark_colour"],
  [{ connect_origins: ["http://app.example.com"] }, "connect_origins.0"],
  [{ connect_origins: "https://app.example.com" }, "connect_origins"],
  [{ name: "other", theme: "dark" }, ""],
] as const)("what is no setting is refused by name, and changes nothing: %j", async ([body, field]) => {
  const world = await newWorld();
  const refused = refusalOf(await world.app.patch("/environment", { ...body }));

  expect(refused.slice(0, 2)).toEqual([400, "invalid_body"]);
  expect(refused.slice(3)).toEqual([[field === "" ? [] : field.split("."), expect.any(String)]]);
  expect(await settingsOf(world)).toEqual({ name: world.environment, ...usual });
});

test("one that is wrong keeps the others from being changed", async () => {
  const world = await newWorld();
  const reply = await world.app.patch("/environment", { app_name: "Acme", theme: "blue" });

  expect(codeOf(reply)).toEqual([400, "invalid_body"]);
  expect(await settingsOf(world)).toEqual({ name: world.environment, ...usual });
});

test("reading and writing need a scope each, and no link is enough", async () => {
  const { environment, app } = await newWorld();
  const reads = connectClient(house, await environmentKey(house, environment, ["environment:settings:read"]));
  const writes = connectClient(
    house,
    await environmentKey(house, environment, ["environment:settings:write"]),
  );
  const link = connectClient(house, await connectSession(app));
  const change = { theme: "dark" };

  expect((await reads.get("/environment")).status).toBe(200);
  expect((await reads.patch("/environment", change)).status).toBe(403);
  expect((await writes.patch("/environment", change)).status).toBe(200);
  expect((await link.get("/environment")).status).toBe(401);
  expect((await link.patch("/environment", change)).status).toBe(401);
  expect((await house.send("GET", "/environment")).status).toBe(401);
});

test("a change is written down, with who made it", async () => {
  const { environment, app } = await newWorld();
  await done(app.patch("/environment", { theme: "dark" }));
  await app.patch("/environment", { theme: "blue" });

  const lines = (await auditLines(house)).filter(({ details }) => details["environment"] === environment);
  expect(lines.filter(({ event }) => event === "environment_changed")).toHaveLength(1);
});

test("another process has a change within a second, and a restart keeps it", async () => {
  const own = await startHouse();
  const app = connectClient(own, await environmentKey(own));
  const twin = await own.twin();
  const there = connectClient(twin, await environmentKey(own));
  expect((await done(there.get("/environment")))["data"]).toMatchObject({ theme: "system" });
  await done(app.patch("/environment", { theme: "dark" }));
  await expect
    .poll(async () => fieldsOf((await done(there.get("/environment")))["data"])["theme"])
    .toBe("dark");

  const again = await own.restart();
  const key = await environmentKey(again);
  expect((await done(connectClient(again, key).get("/environment")))["data"]).toMatchObject({
    theme: "dark",
  });
});
