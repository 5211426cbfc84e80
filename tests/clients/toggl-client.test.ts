import connect from "toggl-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

/** The published npm client, as it is: only its address is changed, through its own public property. */

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const clientWith = (apiToken: string) => {
  const client = connect({ apiToken });
  client.httpClient = client.httpClient.extend({ prefixUrl: `http://127.0.0.1:${house.config.port}/api/v9` });
  return client;
};

const newcomer = async () => {
  const person = await house.person();
  const token = await house.tokenOf(person);
  return { ...person, token, client: clientWith(token) };
};

describe("toggl-client", () => {
  test("reads the user, under the User-Agent that Toggl refused", async () => {
    const { client, email, token } = await newcomer();

    expect(await client.user.current()).toMatchObject({ email, api_token: token });
  });

  test("changes the user", async () => {
    const { client } = await newcomer();

    expect(await client.user.update({ fullname: "Ada King", timezone: "Europe/London" })).toMatchObject({
      fullname: "Ada King",
      timezone: "Europe/London",
    });
    expect(await client.user.current()).toMatchObject({ fullname: "Ada King", timezone: "Europe/London" });
  });

  test("puts back the user that it got", async () => {
    const { client } = await newcomer();
    const user = fieldsOf(await client.user.current());

    await client.user.update(user);

    expect(await client.user.current()).toEqual(user);
  });

  test("changes the password, which leaves its token alone", async () => {
    const { client, email, password } = await newcomer();

    await client.user.update({ current_password: password, password: "a loud river at noon" });

    expect(await client.user.current()).toMatchObject({ email });
    const me = await house.send("GET", "/api/v9/me", { basic: [email, "a loud river at noon"] });
    expect(me.status).toBe(200);
  });

  test("is told why a change is refused", async () => {
    const { client } = await newcomer();

    await expect(client.user.update({ timezone: "Mars/Olympus" })).rejects.toThrow(
      'Toggl API responded with status code 400. Response: "Invalid timezone"',
    );
  });

  test("replaces its token: the new one is a string, the old one fails", async () => {
    const { client, email, token } = await newcomer();

    const fresh = await client.user.resetToken();

    expect(fresh).toMatch(/^[0-9a-f]{32}$/);
    expect(fresh).not.toBe(token);
    await expect(client.user.current()).rejects.toThrow(/status code 403/);
    expect(await clientWith(String(fresh)).user.current()).toMatchObject({ email });
  });

  test("lists workspaces, and reads one", async () => {
    const { client } = await newcomer();
    const { default_workspace_id: id } = fieldsOf(await client.user.current());

    const workspaces = listOf(await client.workspaces.list());

    expect(workspaces.map((workspace) => workspace["id"])).toEqual([id]);
    expect(await client.get(`workspaces/${String(id)}`)).toEqual(workspaces[0]);
    // A remainder of v8 in the client takes `data` out of the answer, which no v9 server puts in.
    expect(await client.workspaces.get(Number(id))).toBeUndefined();
  });

  test("fails on somebody else's workspace, with the status in the error", async () => {
    const { client } = await newcomer();
    const other = await newcomer();
    const { default_workspace_id: id } = fieldsOf(await other.client.user.current());

    await expect(client.workspaces.get(Number(id))).rejects.toThrow('status code 404. Response: "Not found"');
  });

  test("fails with a wrong token, with the status in the error", async () => {
    const client = clientWith("1971800d4d82861d8f2c1651fea4d212");

    const refusal =
      'Toggl API responded with status code 403. Response: "User does not have access to this resource."';
    await expect(client.user.current()).rejects.toThrow(refusal);
    await expect(client.user.update({ fullname: "X" })).rejects.toThrow(refusal);
    await expect(client.user.resetToken()).rejects.toThrow(refusal);
    await expect(client.workspaces.list()).rejects.toThrow(refusal);
  });
});
