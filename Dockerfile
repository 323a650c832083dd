# The webhook's image: built with the lock file, run as 65532 on Node 24 LTS, without sources, maps or declarations.
FROM node:24.11.1-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json tsconfig.json ./
COPY hack/build.mjs hack/build.mjs
RUN npm ci
COPY src src
RUN npm run build -- --product \
 && npm ci --omit=dev --ignore-scripts \
 && find dist node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete

FROM node:24.11.1-trixie-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
USER 65532:65532
EXPOSE 8443 9090
ENTRYPOINT ["node", "--max-old-space-size=320", "--max-semi-space-size=4", "/app/dist/cli.js"]
CMD ["serve"]
