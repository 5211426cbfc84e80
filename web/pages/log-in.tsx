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
import { ResendVerification } from "../ui/resend.tsx";
import { Gate, SignOut } from "../ui/shell.tsx";

const t = texts.signIn;
const asked = new URLSearchParams(location.search);
const next = nextPage(location.search);

/** Where nobody may learn which addresses have accounts, an unverified one gets the answer of a wrong password. */
const mayBeUnverified = ({ code }: Refused): boolean =>
  code === "email_unverified" || (code === "credentials_wrong" && facts.verifiesFirst);

/** For whoever opens the page although they are signed in: no second sign-in by accident. */
const SignedIn = ({ email }: { readonly email: string }) => (
  <Gate title={t.alreadyTitle} lead={t.already(email)}>
    <a class="main" href={hrefTo(next)}>
      {t.goOn}
    </a>
    <p class="aside">
      <SignOut kind="text" />
    </p>
  </Gate>
);

const SignIn = () => {
  const [unverified, setUnverified] = useState<string>();
  const [cookieLost, setCookieLost] = useState(false);

  const send = async (fields: Fields): Promise<void> => {
    setUnverified(undefined);
    const email = fields("email");
    const body = { email, password: fields("password"), remember_me: fields("remember") === "on" };
    try {
      await call("POST /api/sessions", { body });
    } catch (error) {
      if (error instanceof Refused && mayBeUnverified(error)) setUnverified(email);
      throw error;
    }
    if (await isCookieKept()) await leaveFor(hrefTo(next));
    setCookieLost(true);
  };

  if (cookieLost) return <NoCookie />;
  return (
    <Gate
      title={t.title}
      lead={asked.has("next") ? t.next : undefined}
      aside={
        <>
          {t.noneYet} <a href={onTheWay("sign-up", next)}>{t.signUp}</a>
        </>
      }
    >
      <Form label={t.title} send={send}>
        <Field
          name="email"
          type="email"
          label={texts.field.email}
          autocomplete="username"
          value={asked.get("email") ?? ""}
          required
          autofocus
        />
        <Field
          name="password"
          type="password"
          label={texts.field.password}
          aside={<a href={hrefTo("forgot")}>{t.forgot}</a>}
          autocomplete="current-password"
          required
        />
        <Check name="remember" label={texts.field.remember} />
        <Submit busy={t.busy}>{t.submit}</Submit>
      </Form>
      {unverified !== undefined && (
        <>
          <p class="small">{t.unverified}</p>
          <ResendVerification email={unverified} />
        </>
      )}
    </Gate>
  );
};

start(() => (facts.signedIn ? <SignedIn email={facts.signedIn.email} /> : <SignIn />));
