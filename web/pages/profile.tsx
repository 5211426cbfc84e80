import { useState } from "preact/hooks";
import { call } from "../api.ts";
import type { Calls } from "../api.generated.ts";
import { dayOf } from "../dates.ts";
import { hrefTo } from "../go.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Field, Select, UserName } from "../ui/field.tsx";
import { Form, Submit, type Fields } from "../ui/form.tsx";
import { Loaded, useLoaded } from "../ui/loaded.tsx";
import { Notice, Said } from "../ui/notice.tsx";
import { OpenMails } from "../ui/open-mails.tsx";
import { currentPassword, newPassword } from "../ui/password-fields.ts";
import { ResendVerification } from "../ui/resend.tsx";
import { Account, Section } from "../ui/shell.tsx";

const t = texts.profile;

type Me = Calls["GET /api/me"]["answer"];

const load = (): Promise<Me> => call("GET /api/me", {});

const zones = (current: string): readonly string[] =>
  [...new Set([current, "UTC", ...Intl.supportedValuesOf("timeZone")])].toSorted();

const About = ({ me }: { readonly me: Me }) => {
  const [saved, setSaved] = useState(false);
  const send = async (fields: Fields): Promise<void> => {
    setSaved(false);
    await call("PUT /api/v9/me", { body: { fullname: fields("fullname"), timezone: fields("timezone") } });
    setSaved(true);
  };
  return (
    <Section title={t.about} lead={t.since(dayOf(me.created_at))}>
      <Form label={t.about} send={send}>
        <Field
          name="fullname"
          label={texts.field.name}
          value={me.display_name}
          autocomplete="name"
          hint={t.nameHint}
          required
        />
        <Select
          name="timezone"
          label={texts.field.timezone}
          value={me.timezone}
          options={zones(me.timezone)}
          hint={t.timezoneHint}
        />
        <div class="actions">
          <Submit busy={t.saving} kind="plain">
            {t.save}
          </Submit>
          <Said>{saved && <span class="tag good">{t.saved}</span>}</Said>
        </div>
      </Form>
    </Section>
  );
};

/** What can be done with a mail that was sent. */
const MailWays = () => (
  <p class="ways">
    <a href={hrefTo("verify")}>{t.enterCode}</a>
    <OpenMails />
  </p>
);

const Pending = ({ email, changed }: { readonly email: string; readonly changed: () => Promise<void> }) => {
  const drop = async (): Promise<void> => {
    await call("DELETE /api/me/email_change", {});
    await changed();
  };
  return (
    <div class="stack">
      <Notice kind="warn">
        <p>{t.pending(email)}</p>
        <MailWays />
      </Notice>
      <Form label={t.dropPending} send={drop}>
        <div class="actions">
          <Submit busy={t.dropPending} kind="plain">
            {t.dropPending}
          </Submit>
        </div>
      </Form>
    </div>
  );
};

const ChangeEmail = ({
  email,
  changed,
}: {
  readonly email: string;
  readonly changed: () => Promise<void>;
}) => {
  const [open, setOpen] = useState(false);
  const send = async (fields: Fields): Promise<void> => {
    await call("POST /api/me/email_change/request", {
      body: { email: fields("email"), current_password: fields("current_password") },
    });
    await changed();
  };
  if (!open) {
    return (
      <div class="actions">
        <button type="button" class="plain" onClick={() => setOpen(true)}>
          {t.changeEmail}
        </button>
      </div>
    );
  }
  return (
    <Form label={t.changeEmail} send={send}>
      <UserName email={email} />
      <Field
        name="email"
        type="email"
        label={t.newEmail}
        autocomplete="email"
        hint={t.changeEmailHint}
        required
        autofocus
      />
      <Field {...currentPassword} />
      <div class="actions">
        <Submit busy={t.changingEmail} kind="plain">
          {t.changeEmail}
        </Submit>
        <button type="button" class="plain" onClick={() => setOpen(false)}>
          {t.cancel}
        </button>
      </div>
    </Form>
  );
};

const Email = ({ me, changed }: { readonly me: Me; readonly changed: () => Promise<void> }) => (
  <Section title={t.email} lead={t.emailLead}>
    <p>
      {me.email}{" "}
      <span class={me.email_verified ? "tag good" : "tag warn"}>
        {me.email_verified ? t.verified : t.unverified}
      </span>
    </p>
    {!me.email_verified && (
      <Notice kind="warn">
        <p>{t.unverifiedLead(me.email)}</p>
        <MailWays />
        <ResendVerification email={me.email} kind="text" />
      </Notice>
    )}
    {me.pending_email === null ? (
      <ChangeEmail email={me.email} changed={changed} />
    ) : (
      <Pending email={me.pending_email} changed={changed} />
    )}
  </Section>
);

const Password = ({ me }: { readonly me: Me }) => {
  const send = async (fields: Fields): Promise<void> => {
    await call("PUT /api/v9/me", {
      body: { current_password: fields("current_password"), password: fields("password") },
    });
    // Password managers take a new page for the sign that the new password is right.
    location.assign(hrefTo("profile", { notice: "password" }));
  };
  return (
    <Section title={texts.field.password} lead={t.passwordLead}>
      <Form label={t.changePassword} send={send}>
        <UserName email={me.email} />
        <Field {...currentPassword} aside={<a href={hrefTo("forgot")}>{texts.signIn.forgot}</a>} />
        <Field {...newPassword} />
        <div class="actions">
          <Submit busy={t.changingPassword} kind="plain">
            {t.changePassword}
          </Submit>
        </div>
      </Form>
    </Section>
  );
};

const noticeOf = (search: string): string | undefined => {
  const asked = new URLSearchParams(search).get("notice");
  return Object.entries(t.notices).find(([name]) => name === asked)?.[1];
};

const Profile = () => {
  const me = useLoaded(load);
  const notice = noticeOf(location.search);
  return (
    <Account at="profile" title={t.title} lead={t.lead}>
      {notice !== undefined && (
        <Notice kind="good">
          <p>{notice}</p>
        </Notice>
      )}
      <Loaded of={me}>
        {(value) => (
          <>
            <About me={value} />
            <Email me={value} changed={me.reload} />
            <Password me={value} />
          </>
        )}
      </Loaded>
    </Account>
  );
};

start(Profile);
