import { sha256Hex } from "../../kernel/crypto/digest.ts";
import type { Secret } from "../../kernel/secret.ts";
import { noEnvironment } from "./create-environment.ts";
import type { ConnectDeps } from "../deps.ts";
import { newEnvironmentKey } from "./environment-keys.ts";
import { feedIdOf } from "../model/environment.ts";
import { invalidBody } from "../wire/input.ts";
import { scopes, type Scope } from "../model/scopes.ts";
import { deleteKey, environmentByName, insertKey, keysOf } from "../store/environments.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "random" | "audit">;

const nameForm = /^[\w .@-]{1,64}$/;

/** As many as the original allows. */
const mostKeys = 50;

/** `key-2` when there is one already, and so on. */
const freeName = (taken: ReadonlySet<string>): string => {
  for (let count = 1; ; count++) {
    const name = count === 1 ? "key" : `key-${count}`;
    if (!taken.has(name)) return name;
  }
};

/**
 * A new API key beside those that are there: to change one, make a second, hand it out, and revoke the first. The key
 * itself is kept nowhere.
 *
 * @throws Refusal input_invalid
 */
export const createEnvironmentKey =
  (deps: Deps) =>
  (wanted: {
    readonly environment: string;
    /** When left out, a free one. */
    readonly name?: string | undefined;
    /** When left out, all. */
    readonly scopes?: readonly Scope[] | undefined;
  }): Promise<{ readonly key: Secret; readonly name: string }> =>
    deps.store.transaction(async (tx) => {
      await tx.alone();
      const environment = await environmentByName(tx.query, wanted.environment);
      if (!environment) throw noEnvironment(wanted.environment);
      const names = new Set((await keysOf(tx.query, environment)).map(({ name }) => name));
      if (names.size >= mostKeys) throw invalidBody(["name"], `An environment has ${mostKeys} keys at most`);
      const name = wanted.name ?? freeName(names);
      if (!nameForm.test(name)) throw invalidBody(["name"], "must be 1 to 64 letters, digits and _ .@-");
      const key = newEnvironmentKey(deps.random, environment.name);
      const isNew = await insertKey(
        tx.query,
        {
          environmentId: environment.id,
          name,
          digest: sha256Hex(key.reveal()),
          scopes: wanted.scopes ?? scopes,
        },
        deps.clock.now(),
      );
      if (!isNew) throw invalidBody(["name"], `There is a key named ${name}`);
      await deps.audit.record(tx.query, {
        event: "environment_key_created",
        outcome: "done",
        channel: "cli",
        details: { environment: environment.name, key: name },
      });
      return { key, name };
    });

/** Refused everywhere from the commit on. False when there was none. @throws Refusal input_invalid */
export const revokeEnvironmentKey =
  (deps: Deps) =>
  (wanted: { readonly environment: string; readonly name: string }): Promise<boolean> =>
    deps.store.transaction(async (tx) => {
      const environment = await environmentByName(tx.query, wanted.environment);
      if (!environment) throw noEnvironment(wanted.environment);
      const revoked = await deleteKey(tx.query, environment.id, wanted.name);
      if (!revoked) return false;
      await deps.audit.record(tx.query, {
        event: "environment_key_revoked",
        outcome: "done",
        channel: "cli",
        details: { environment: environment.name, key: wanted.name },
      });
      tx.changed(feedIdOf(environment.id));
      return true;
    });
