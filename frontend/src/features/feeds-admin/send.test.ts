import { describe, expect, it } from "vitest";
import { quoted, sendingTo, topicFor } from "./send";

const ORIGIN = "https://posko.example:8443";
const texts = (config: object) =>
  sendingTo(
    { name: "awlr", format: "json", ...config },
    ORIGIN,
    "kt_1_x",
  ).ways.map((w) => w.text);

describe("how to send", () => {
  it("over HTTP is a curl with the key and the format's media type", () => {
    const [address, command, dry] = texts({ transport: "push", format: "cap" });
    expect(address).toBe(`${ORIGIN}/api/v1/ingest/awlr`);
    expect(command).toContain("-H 'Authorization: Bearer kt_1_x'");
    expect(command).toContain("-H 'Content-Type: application/cap+xml'");
    expect(dry).toContain(`'${ORIGIN}/api/v1/ingest/awlr?dry_run=1'`);
  });
  it("to our broker is a mosquitto_pub with a topic that fits", () => {
    const [command] = texts({ transport: "mqtt", topic: "awlr/+/up" });
    expect(command).toContain("-h posko.example -p 1883 -q 1");
    expect(command).toContain("-u awlr -P kt_1_x");
    expect(command).toContain("-t awlr/alat-1/up");
  });
  it("to somebody else's broker is nothing", () => {
    expect(
      texts({ transport: "mqtt", url: "mqtts://b.example", topic: "x" }),
    ).toEqual(["mqtts://b.example"]);
  });
  it.each([
    ["tcp", "nc -N posko.example 10110"],
    ["udp", "nc -u -w1 posko.example 10110"],
  ])("over %s goes to the port", (transport, command) => {
    expect(
      texts({ transport, listen: "0.0.0.0:10110", format: "nmea" })[1],
    ).toContain(command);
  });
  it("quotes what a shell would take apart", () => {
    expect(quoted("a b")).toBe("'a b'");
    expect(quoted("it's")).toBe(`'it'\\''s'`);
    expect(quoted("$HOME")).toBe("'$HOME'");
  });
  it("fills wildcards", () => {
    expect(topicFor("a/+/#", "f")).toBe("a/alat-1/data");
    expect(topicFor("", "f")).toBe("f");
  });
});
