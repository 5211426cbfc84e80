// A call that a server has taken up and can't answer yet, so that one sees what becomes of it when the server ends.

import { connect, type Socket } from "node:net";
import { expect } from "vitest";

/** A connection that sends a sign-up up to its last bytes, which it keeps back. */
export const beginSignUp = ({ port }: { readonly port: number }, email: string) => {
  const body = JSON.stringify({ email, password: "a quiet river at noon", tos_accepted_for: "track" });
  const socket: Socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  const closed = new Promise<string>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
  socket.write(
    `POST /api/signup HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n` +
      `Expect: 100-continue\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, -5)}`,
  );
  return {
    /** The server has taken up the call. */
    begun: () => expect.poll(() => text, { timeout: 10_000 }).toContain("100 Continue"),
    isAnswered: () => text.includes("HTTP/1.1 200 "),
    closed,
    finish: () => void socket.write(body.slice(-5)),
  };
};

/** Whether nobody listens there any more. */
export const isRefused = async (port: number): Promise<boolean> => {
  const probe = connect(port, "127.0.0.1");
  try {
    return await new Promise((resolve) => {
      probe.on("connect", () => resolve(false));
      probe.on("error", () => resolve(true));
    });
  } finally {
    probe.destroy();
  }
};
