// A name server on this machine that answers by script, over UDP and TCP, and notes what it was asked.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv4, type Socket } from "node:net";

/** What a name has. Without anything: it is there, and has no address. */
export type NameScript = {
  readonly addresses?: readonly string[];
  /** The name that the addresses are really of. */
  readonly alias?: string;
  /** In place of an answer. */
  readonly fails?: "silence" | "SERVFAIL" | "NXDOMAIN" | "REFUSED";
  /** So long, only this family is answered; of the other nothing is heard. */
  readonly only?: "A" | "AAAA";
  /** By UDP there is only half an answer, which sends whoever asks to TCP (RFC 1035 §4.2.1). */
  readonly truncated?: boolean;
  /** Answers nothing before this. */
  readonly after?: Promise<unknown>;
};

export type NameServer = {
  /** As `address:port`. */
  readonly address: string;
  /** Names in the order in which they were asked for; each once for each family, and again when asked again. */
  readonly asked: readonly { readonly name: string; readonly type: string; readonly over: "udp" | "tcp" }[];
  /** Any other name is NXDOMAIN. A name that begins with a dot is of all names that end so. */
  has(name: string, script: NameScript): void;
  stop(): Promise<void>;
};

const codes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const types: ReadonlyMap<number, "A" | "AAAA"> = new Map([
  [1, "A"],
  [28, "AAAA"],
]);

const encodedName = (name: string): Buffer =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1")),
    Buffer.from([0]),
  ]);

const bytesOf = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [before = "", after] = address.split("::");
  const groups = (text = ""): readonly string[] => (text === "" ? [] : text.split(":"));
  const head = groups(before);
  const tail = groups(after);
  const middle = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return Buffer.concat(
    [...head, ...middle, ...tail].map((group) => Buffer.from(group.padStart(4, "0"), "hex")),
  );
};

const record = (owner: Buffer, type: number, data: Buffer): Buffer => {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
};

type Question = {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly section: Buffer;
};

const questionIn = (message: Buffer): Question => {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = message.readUInt16BE(at + 1);
  const name = labels.join(".").toLowerCase();
  return { id: message.readUInt16BE(0), name, type, section: message.subarray(12, at + 5) };
};

const answerTo = (question: Question, script: NameScript, over: "udp" | "tcp"): Buffer => {
  const { id, name, type, section } = question;
  const { addresses = [], alias, fails, truncated = false } = script;
  const ownName = encodedName(alias ?? name);
  const records = [
    ...(alias === undefined ? [] : [record(encodedName(name), 5, ownName)]),
    ...addresses
      .filter((address) => (isIPv4(address) ? "A" : "AAAA") === types.get(type))
      .map((address) => record(ownName, type, bytesOf(address))),
  ];
  const isCut = truncated && over === "udp";
  const code = fails === undefined || fails === "silence" ? 0 : codes[fails];
  const told = isCut || code !== 0 ? [] : records;
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(0x8180 | (isCut ? 0x0200 : 0) | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(told.length, 6);
  return Buffer.concat([head, section, ...told]);
};

export const startNameServer = async (): Promise<NameServer> => {
  const scripts = new Map<string, NameScript>();
  const asked: { name: string; type: string; over: "udp" | "tcp" }[] = [];
  const sockets = new Set<Socket>();

  const scriptOf = (name: string): NameScript => {
    const ending = [...scripts.keys()].find((key) => key.startsWith(".") && name.endsWith(key));
    return scripts.get(name) ?? scripts.get(ending ?? "") ?? { fails: "NXDOMAIN" };
  };

  const answer = (message: Buffer, over: "udp" | "tcp", send: (reply: Buffer) => void): void => {
    const question = questionIn(message);
    const type = types.get(question.type) ?? String(question.type);
    asked.push({ name: question.name, type, over });
    const script = scriptOf(question.name);
    if (script.fails === "silence" || (script.only !== undefined && script.only !== type)) return;
    const reply = answerTo(question, script, over);
    if (script.after === undefined) send(reply);
    else void script.after.then(() => send(reply));
  };

  const tcp = createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        answer(received.subarray(2, end), "tcp", (reply) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([length, reply]));
        });
        received = received.subarray(end);
      }
    });
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const bound = tcp.address();
  if (bound === null || typeof bound === "string") throw new Error("The name server has no port");
  const { port } = bound;
  const udp = createSocket("udp4");
  let isOpen = true;
  udp.on("message", (message, { port: from, address }) =>
    answer(message, "udp", (reply) => {
      if (isOpen) udp.send(reply, from, address);
    }),
  );
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  return {
    address: `127.0.0.1:${port}`,
    asked,
    has: (name, script) => void scripts.set(name, script),
    stop: async () => {
      isOpen = false;
      const closed = Promise.all([once(tcp, "close"), once(udp, "close")]);
      tcp.close();
      udp.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
