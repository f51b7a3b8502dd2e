// An OpenID Connect provider on this machine, for tests/browser/test_login.py: npm's oidc-provider.
//
// node oidc_provider.mjs MODULES PORT REDIRECT_URI [SECONDS] [AUDIENCE]
//
// MODULES is the node_modules folder with oidc-provider. Any name logs in, as NAME@example.org, with any password. An
// identity token is valid for SECONDS; with AUDIENCE it is made for that application, and signed by the same key. The
// pages of the login ask for no font from elsewhere.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [modules, port, redirect, seconds = "3600", audience = ""] = process.argv.slice(2);
const find = createRequire(path.join(path.resolve(modules), "index.js"));
const load = (name) => import(pathToFileURL(find.resolve(name)));
const { Provider } = await load("oidc-provider");
const jose = await load("jose");

const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = await jose.generateKeyPair("RS256", { extractable: true });
const key = { ...(await jose.exportJWK(privateKey)), alg: "RS256", kid: "test", use: "sig" };
const provider = new Provider(issuer, {
  clients: [{
    client_id: "tracker",
    client_secret: "a secret of this test",
    redirect_uris: [redirect],
    post_logout_redirect_uris: [redirect, new URL("/", redirect).href],
  }],
  jwks: { keys: [key] },
  cookies: { keys: ["a key of this test"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false, // Streamlit reads the e-mail from the identity token
  ttl: { IdToken: Number(seconds) },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: id, email: `${id}@example.org`, email_verified: id !== "unverified" }),
  }),
});
provider.use(async (context, next) => {
  await next();
  if (typeof context.body === "string") context.body = context.body.replace(/@import url\(https:[^)]*\);/g, "");
  if (!audience || context.oidc?.route !== "token" || !context.body?.id_token) return;
  // A token of this provider for another application that names this one as the party that asked for it.
  const claims = { ...jose.decodeJwt(context.body.id_token), aud: audience, azp: "tracker" };
  const token = new jose.SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "test" });
  context.body.id_token = await token.sign(privateKey);
});
provider.listen(Number(port), "127.0.0.1");
