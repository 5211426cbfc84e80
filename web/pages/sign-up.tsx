import { useState } from "preact/hooks";
import { call, Refused } from "../api.ts";
import { facts } from "../facts.ts";
import { hrefTo, leaveFor, nextPage, onTheWay } from "../go.ts";
import { isCookieKept } from "../session.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Check, Field } from "../ui/field.tsx";
import { Form, Submit, type Fields } from "../ui/form.tsx";
import { NoCookie } from "../ui/no-cookie.tsx";
import { OpenMails } from "../ui/open-mails.tsx";
import { newPassword } from "../ui/password-fields.ts";
import { ResendVerification } from "../ui/resend.tsx";
import { Gate } from "../ui/shell.tsx";

const t = texts.signUp;
const next = nextPage(location.search);

type Body = {
  readonly email: string;
  readonly password: string;
  readonly tos_accepted_for: "track";
  readonly display_name?: string;
  readonly remember_me: boolean;
};

const hasZoneFault = (error: unknown): boolean =>
  error instanceof Refused && error.issues.length === 1 && error.issues[0]?.field === "timezone";

/** With the zone of the browser; but without one that the server has never heard of, which nobody typed. */
const signUp = async (body: Body): Promise<void> => {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  try {
    await call("POST /api/signup", { body: { ...body, timezone: timeZone } });
  } catch (error) {
    if (!hasZoneFault(error)) throw error;
    await call("POST /api/signup", { body });
  }
};

const SignUp = () => {
  const [after, setAfter] = useState<"no cookie" | { readonly mailedTo: string }>();

  const send = async (fields: Fields): Promise<void> => {
    const name = fields("display_name").trim();
    const email = fields("email");
    await signUp({
      email,
      password: fields("password"),
      tos_accepted_for: "track",
      ...(name === "" ? {} : { display_name: name }),
      remember_me: fields("remember") === "on",
    });
    if (facts.verifiesFirst) return setAfter({ mailedTo: email });
    if (await isCookieKept()) await leaveFor(hrefTo(next, next === "profile" ? { notice: "welcome" } : {}));
    setAfter("no cookie");
  };

  if (after === "no cookie") return <NoCookie />;
  if (after) {
    return (
      <Gate title={t.checkTitle} lead={t.check(after.mailedTo)}>
        <OpenMails />
        <p class="small">{t.checkNothing}</p>
        <ResendVerification email={after.mailedTo} />
      </Gate>
    );
  }
  return (
    <Gate
      title={t.title}
      lead={facts.signedIn ? texts.home.signedInAs(facts.signedIn.email) : t.lead}
      aside={
        <>
          {t.haveOne} <a href={onTheWay("log-in", next)}>{t.signIn}</a>
        </>
      }
    >
      <Form label={t.title} send={send}>
        <Field
          name="email"
          type="email"
          label={texts.field.email}
          autocomplete="username"
          required
          autofocus
        />
        <Field name="display_name" label={texts.field.name} autocomplete="name" hint={t.nameHint} />
        <Field {...newPassword} label={texts.field.password} />
        <Check name="tos" label={t.tos} required />
        <Check name="remember" label={texts.field.remember} />
        <Submit busy={t.busy}>{t.submit}</Submit>
      </Form>
    </Gate>
  );
};

start(SignUp);
