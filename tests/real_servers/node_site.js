// Serves the site by Node's http and https: `node node_site.js SETTINGS.json`. How is said by the first segment.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const path = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const { pipeline } = require("node:stream/promises");
const tls = require("node:tls");
const zlib = require("node:zlib");

const settings = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const log = fs.openSync(settings.log, "a");
const HTML = "text/html; charset=utf-8";
const TYPES = { ".txt": "text/plain", ".xml": "application/xml" };
const MODIFIED = "Wed, 04 Nov 2026 08:49:37 GMT";

function takes(request, coding) {
  return (request.headers["accept-encoding"] || "").split(",").some((each) => each.split(";")[0].trim() === coding);
}

async function compressed(request, response, file, coding, coder) {
  response.setHeader("Vary", "Accept-Encoding");
  if (!takes(request, coding)) return pipeline(fs.createReadStream(file), response);
  response.setHeader("Content-Encoding", coding);
  return pipeline(fs.createReadStream(file), coder, response);
}

// As Express and Next.js do: a 304 repeats the validators, and here also the length of what it does not send.
function validated(request, response, body, validators, counted) {
  response.writeHead(known(request, validators) ? 304 : 200, {
    "Content-Type": HTML,
    ...validators,
    ...(counted || !known(request, validators) ? { "Content-Length": body.length } : {}),
  });
  response.end(known(request, validators) ? undefined : body);
}

function known(request, validators) {
  const { "if-none-match": etag, "if-modified-since": since } = request.headers;
  if (validators.ETag) return etag === validators.ETag;
  return since === validators["Last-Modified"];
}

const ways = {
  async length(request, response, file) {
    const body = fs.readFileSync(file);
    response.setHeader("Content-Length", body.length);
    response.end(body);
  },
  async chunked(request, response, file) {
    await pipeline(fs.createReadStream(file), response);
  },
  async gzip(request, response, file) {
    await compressed(request, response, file, "gzip", zlib.createGzip());
  },
  async br(request, response, file) {
    const quick = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };
    await compressed(request, response, file, "br", zlib.createBrotliCompress(quick));
  },
  async close(request, response, file) {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    response.removeHeader("Transfer-Encoding");
    await pipeline(fs.createReadStream(file), response);
  },
  async slow(request, response, file) {
    for await (const piece of fs.createReadStream(file, { highWaterMark: 16384 })) {
      response.write(piece);
      await pause(300);
    }
    response.end();
  },
  async trailers(request, response, file) {
    response.setHeader("Trailer", "X-Checksum, Server-Timing");
    response.write(fs.readFileSync(file));
    response.addTrailers({ "X-Checksum": "f00d", "Server-Timing": "render;dur=3" });
    response.end();
  },
  async hints(request, response, file) {
    response.writeContinue();
    response.writeProcessing();
    response.writeEarlyHints({ link: ["</style.css>; rel=preload; as=style", "</a.js>; rel=preload; as=script"] });
    await pause(50);
    response.end(fs.readFileSync(file));
  },
  async fields(request, response, file) {
    const fields = ["content-TYPE", HTML, "X-oDD-Letters", "one", "Set-Cookie", "a=1", "Link", "</a>; rel=preload"];
    fields.push("set-cookie", "b=2", "X-oDD-Letters", "two", "x-empty", "", "X-Latin", "Sm\u00f8rrebr\u00f8d");
    response.writeHead(200, "Fine By Me", fields);
    response.end(fs.readFileSync(file));
  },
  // A server's time limit for an idle connection may end in the moment in which it is asked again.
  async stale(request, response, file) {
    if (request.socket.answered > 1) return request.socket.destroy();
    return ways.chunked(request, response, file);
  },
  async etag(request, response, file) {
    validated(request, response, fs.readFileSync(file), { ETag: 'W/"5-a b"', "Last-Modified": MODIFIED }, false);
  },
  async dated(request, response, file) {
    validated(request, response, fs.readFileSync(file), { "Last-Modified": MODIFIED }, false);
  },
  async counted(request, response, file) {
    validated(request, response, fs.readFileSync(file), { ETag: '"counted"' }, true);
  },
  async moved(request, response, file) {
    if (request.socket.encrypted) return ways.chunked(request, response, file);
    const host = request.headers.host.replace(/:\d+$/, "");
    response.writeHead(301, { Location: `https://${host}:${settings.tlsPort}${request.url}` });
    response.end();
  },
};
ways.many = ways.chunked;

async function answer(request, response) {
  fs.writeSync(log, `${request.socket.remotePort} ${request.url} ${request.headers["user-agent"] || "-"}\n`);
  request.socket.answered = (request.socket.answered || 0) + 1;
  const file = path.join(settings.site, path.normalize(request.url));
  if (!fs.existsSync(file)) {
    response.writeHead(404, { "Content-Type": HTML });
    response.end("<!doctype html><title>Not found</title><p>There is no such page.");
    return;
  }
  const way = ways[request.url.split("/")[1]] || ways.chunked;
  // Node folds a list of fields into those that were set before.
  if (way !== ways.fields) response.setHeader("Content-Type", TYPES[path.extname(file)] || HTML);
  await way(request, response, file);
}

function handle(request, response) {
  answer(request, response).catch((problem) => {
    console.error(request.url, problem);
    response.destroy();
  });
}

function material(name) {
  const files = settings.certificates[name];
  return { cert: fs.readFileSync(files.cert), key: fs.readFileSync(files.key) };
}

const contexts = {};
for (const name of Object.keys(settings.certificates)) contexts[name] = tls.createSecureContext(material(name));
const secure = { ...material(""), SNICallback: (name, done) => done(null, contexts[name] || contexts[""]) };

for (const address of settings.addresses) {
  http.createServer(handle).listen(settings.plainPort, address);
  https.createServer(secure, handle).listen(settings.tlsPort, address);
}
process.on("SIGTERM", () => process.exit(0));
