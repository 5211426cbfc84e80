import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { texts } from "../texts/index.ts";
import { troubleOf } from "./problem.ts";
import { OpenMails } from "./open-mails.tsx";

/** Asks for the verification mail once more. Whether there is such an account is not told. */
export const ResendVerification = ({
  email,
  kind = "plain",
}: {
  readonly email: string;
  readonly kind?: "plain" | "text";
}) => {
  const [said, setSaid] = useState<string>();
  const [pending, setPending] = useState(false);
  const resend = async (): Promise<void> => {
    if (pending) return;
    setPending(true);
    try {
      await call("POST /api/me/email_verification/request", { body: { email } });
      setSaid(texts.signUp.sentAgain);
    } catch (error) {
      setSaid(troubleOf(error, []).message);
    } finally {
      setPending(false);
    }
  };
  return (
    <div class={kind === "plain" ? "stack" : ""}>
      <button type="button" class={kind} aria-disabled={pending} onClick={() => void resend()}>
        {texts.signUp.again}
      </button>
      <div role="status">
        {said !== undefined && (
          <p class="small ways">
            <span>{said}</span>
            {kind === "plain" && <OpenMails />}
          </p>
        )}
      </div>
    </div>
  );
};
