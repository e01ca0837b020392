// The usual receiver of an official account's callbacks: Express with wechat-crypto. It verifies, decrypts, and keeps nothing.
import { createHash } from "node:crypto";
import express from "express";
import WXBizMsgCrypt from "wechat-crypto";

const [app, token, aesKey] = process.argv.slice(2);
const crypt = new WXBizMsgCrypt(token, aesKey, app);
const server = express();
server.use(express.text({ type: "*/*" }));
server.post("/hook", (request, response) => {
  const { signature, timestamp, nonce, msg_signature } = request.query;
  const plain = createHash("sha1").update([token, timestamp, nonce].sort().join("")).digest("hex");
  const encrypted = /<Encrypt><!\[CDATA\[(.*?)\]\]><\/Encrypt>/.exec(request.body)?.[1];
  if (plain !== signature || !encrypted || crypt.getSignature(timestamp, nonce, encrypted) !== msg_signature) return response.status(403).end();
  const { message } = crypt.decrypt(encrypted);
  if (!message.includes("<MsgId>")) return response.status(400).end();
  response.type("text/plain").send("success");
});
const listener = server.listen(0, "127.0.0.1", () => console.log(listener.address().port));
