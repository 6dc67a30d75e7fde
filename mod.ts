/**
 * A drop-in Apache RocketMQ: its parts, for programs that run a name server or a broker of their own. Each is a package
 * too (`@rmq/broker`, `@rmq/namesrv` …).
 *
 * @module
 */
export * as broker from "@rmq/broker";
export * as client from "@rmq/client";
export * as config from "@rmq/config";
export * as namesrv from "@rmq/namesrv";
export * as platform from "@rmq/platform";
export * as protocol from "@rmq/protocol";
export * as remoting from "@rmq/remoting";
export * as store from "@rmq/store";
