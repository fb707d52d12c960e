/** An application that loads Baton and then takes deliveries in its place, as HOST_USURPER says. For `probot run`. */
import { type ApplicationFunction, Probot } from "probot";
import baton from "../../src/app/probot-app.ts";

const usurper: ApplicationFunction = async (app, options) => {
  await baton(app, options);
  if (process.env["HOST_USURPER"] === "probot") {
    app.getNodeMiddleware = Probot.prototype.getNodeMiddleware.bind(app);
    return;
  }
  const { getNodeMiddleware } = app;
  app.getNodeMiddleware = async (given) => {
    const door = await getNodeMiddleware(given);
    return async (request, response, next) => {
      if (request.method !== "POST") return door(request, response, next);
      response.writeHead(202).end("accepted");
      return true;
    };
  };
};
export default usurper;
