import Nango from "@nangohq/frontend";
import { afterAll, beforeAll, describe } from "vitest";
import { describeFrontEnd, type Outcome } from "../support/front-end-sdk.ts";
import { startSdkHouse, type SdkHouse } from "../support/sdk-scene.ts";

/**
 * The published SDK for browsers, without the parts that open windows. It runs here as it is; tests/browser tries the
 * same in Chromium, from a page of another origin.
 */

let all: SdkHouse;
beforeAll(async () => {
  all = await startSdkHouse();
});
afterAll(() => all.stop());

const outcomeOf = async (call: () => unknown): Promise<Outcome> => {
  try {
    return { done: await call() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { thrown: { type: "type" in error ? error.type : error.name, message: error.message } };
  }
};

describe("@nangohq/frontend", () => {
  describeFrontEnd(
    () => all,
    ({ made, method, args }) => {
      const sdk = new Nango({ host: `${all.house.config.origin.origin}/`, ...made });
      return outcomeOf((): unknown => Reflect.apply(sdk[method], sdk, args));
    },
  );
});
