import { facts } from "../facts.ts";
import { texts } from "../texts/index.ts";
import { Notice } from "./notice.tsx";
import { Gate } from "./shell.tsx";

/** Instead of the page of somebody who signed in, and whose browser did not keep the cookie. */
export const NoCookie = () => (
  <Gate title={texts.signIn.noCookieTitle}>
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
  </Gate>
);
