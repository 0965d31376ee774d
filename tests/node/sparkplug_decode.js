// Decode Sparkplug B payloads with the implementation of Eclipse Tahu: a line of hex in, JSON out.
const { decodePayload } = require("sparkplug-payload").get("spBv1.0");
const Long = require("long");
const plain = (_key, value) => (Long.isLong(value) ? Number(value.toString()) : value);
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
for (const line of lines) {
  console.log(JSON.stringify(decodePayload(Buffer.from(line, "hex")), plain));
}
