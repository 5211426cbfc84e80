import type { Generated } from "kysely";

/**
 * The kernel's own tables. Each room describes its tables beside its `store.ts`. In every table times are
 * epoch milliseconds, yes/no is 0/1, JSON is text, and digests are lower-case hex.
 */
export type KernelTables = {
  /** One row: the number of the last change, taken under its row lock so that commits keep its order. */
  change_counter: { id: number; seq: number };
  /** What other processes must forget: one account's cached state, or (null) all of it. */
  changes: { seq: number; account_id: number | null; at: number };
  /** Every root key that was ever in use here, with a value that a wrong key can't produce. */
  root_keys: {
    id: string;
    check_value: string;
    created_at: number;
    /** Null: announced, and nothing is sealed under it yet. The latest is the one that seals. */
    sealing_since: number | null;
    /** Null: there are data keys left to be wrapped anew under it. */
    settled_at: number | null;
    /** Nothing may lean on it any more, and no start needs it. */
    removed_at: number | null;
  };
  /** Running processes that were not given a root key that was announced. */
  root_key_absences: { root_key_id: string; process: string };
  /** Random keys of the server itself, sealed. */
  server_secrets: { name: string; sealed: string; created_at: number };
  /** Counted tries: of a submitted address, a network, a recipient. The key is a keyed digest. */
  tries: { key: string; count: number; window_started_at: number; last_at: number };
  /** Mails on their way, sealed; the row goes when the mail has gone. */
  mail_queue: {
    id: string;
    sealed: string;
    /** The same for mails of one host; it does not tell the host. */
    lane: string;
    /** With the one that is under way. */
    attempts: number;
    due_at: number;
    leased_until: number;
    expires_at: number;
    created_at: number;
    /** 1: it goes to nobody, and is erased when it is due. */
    discarded: Generated<number>;
  };
  /** When each recurring job is due, and until when a process holds it. */
  jobs: { name: string; due_at: number; leased_until: number };
  audit_events: {
    id: Generated<number>;
    at: number;
    account_id: number | null;
    event: string;
    outcome: string;
    channel: string;
    address: string | null;
    user_agent: string | null;
    request_id: string | null;
    details: string | null;
    /** How often it happened, up to `at`: of refusals that are nobody's one row a minute is kept. */
    times: Generated<number>;
  };
};
