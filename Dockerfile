# The program alone, static, as nobody, with the authorities that sign public
# mail servers. docs/packaging.md says how to run it.
#
#   docker build --build-arg COMMIT="$(git rev-parse HEAD)" -t mailmatrix .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The repository does not come along; what it would have told is told here.
ARG VERSION=
ARG COMMIT=
ARG DATE=
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false \
      -ldflags "-s -w ${VERSION:+-X main.version=$VERSION} -X main.commit=$COMMIT -X main.date=$DATE" \
      -o /root.image/usr/bin/mailmatrix ./cmd/mailmatrix && \
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt /root.image/etc/ssl/certs/ca-certificates.crt && \
    install -d -m 1777 /root.image/tmp /root.image/work

FROM scratch
COPY --from=build /root.image/ /
# A number, because there is no /etc/passwd: it is nobody's on the host.
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/bin/mailmatrix"]
