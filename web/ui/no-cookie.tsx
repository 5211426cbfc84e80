import { facts } from "../facts.ts";
import { texts } from "../texts/index.ts";
import { Notice } from "./notice.tsx";

/** Signed in, and yet not: says so, and why it may be. */
export const NoCookie = () => (
  <div role="alert" class="stack">
    <Notice kind="warn">
      <p>{texts.signIn.noCookie}</p>
      <ul class="bullets">
        {texts.signIn.noCookieReasons(facts.origin).map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </Notice>
    <a class="main" href={location.pathname + location.search}>
      {texts.signIn.noCookieRetry}
    </a>
  </div>
);
