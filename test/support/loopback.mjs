// Loaded before the framework's own command, which has no host option and would listen on all interfaces: here it is
// this machine alone. Says where it listens, and tells the parent what it has used of the processor.
import { Server } from "node:net";

const { listen } = Server.prototype;
Server.prototype.listen = function (port, ...rest) {
  if (!/^\d+$/.test(port)) return listen.call(this, port, ...rest);
  this.once("listening", () => process.send?.({ port: this.address().port }));
  return listen.call(this, Number(port), "127.0.0.1", ...rest);
};
process.on("message", () => process.send?.({ cpu: process.cpuUsage() }));
// The channel alone keeps no process alive.
process.channel?.unref();
