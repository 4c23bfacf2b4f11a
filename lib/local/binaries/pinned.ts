/**
 * The control plane's programs: which versions, where they come from, and how a
 * downloaded file is known to be the right one.
 *
 * @module
 */

/** Parts of the control plane that are programs of their own. */
export const PROGRAM_NAMES = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
] as const;

/** One of {@link PROGRAM_NAMES}. */
export type ProgramName = typeof PROGRAM_NAMES[number];

/** Versions that `control_plane/go.mod` builds; `pinned_test.ts` compares the two. */
export const BUILT_VERSIONS = { kubernetes: "1.36.3", etcd: "3.6.8", kwok: "0.8.0" } as const;

/**
 * Versions of the published files. Kubernetes is an older patch of the same minor version:
 * 1.36.0 is the newest whose SHA-512 could be checked against Kubernetes' own change log.
 */
export const DOWNLOADED_VERSIONS = { kubernetes: "1.36.0", etcd: "3.6.8", kwok: "0.8.0" } as const;

/** A published file and the programs in it. */
export interface PinnedDownload {
  /** File name below the download folder. */
  readonly file: string;
  /** Where it is published. */
  readonly url: string;
  /** Hash that the file must have, lower-case hexadecimal. */
  readonly hash: { readonly algorithm: "SHA-256" | "SHA-512"; readonly hex: string };
  /** For a gzipped tar archive: path in it of each program. Absent when the file is the program. */
  readonly members?: Readonly<Partial<Record<ProgramName, string>>>;
  /** The program, when the file is one. */
  readonly program?: ProgramName;
}

/** Architectures that files are published for, as their names have them. */
export type PublishedArch = "amd64" | "arm64";

/** Name of an architecture in published file names; undefined when nothing is published for it. */
export function publishedArch(arch: string): PublishedArch | undefined {
  return arch === "x86_64" ? "amd64" : arch === "aarch64" ? "arm64" : undefined;
}

// Sources: Kubernetes' CHANGELOG-1.36.md (SHA-512 of the server archives), Kubespray's
// checksums.yml (etcd), and two package definitions that agree (kwok: AUR kwok-bin, Nix kwok-bin).
const HASHES: Readonly<
  Record<PublishedArch, Readonly<Record<"kubernetes" | "etcd" | "kwok", string>>>
> = {
  amd64: {
    kubernetes: "1c64da92575451c2c7ff97c79b772e603995f8e76da1371a6b0746aaa27b65dc" +
      "e81c4d734cbb50f40e71486a8e08df36f14e12974f97d4d29e41f23a172a6a25",
    etcd: "cf9cfe91a4856cb90eed9c99e6aee4b708db2c7888b88a6f116281f04b0ea693",
    kwok: "f5a4385a2ae1b9dd7f8acae18e002a75c0ebba124ae9d7259aa8dadb50711f46",
  },
  arm64: {
    kubernetes: "7f95e451baedd9368a2fa637afa84c9ed1b958736540ca27a379e5e292e1a10c" +
      "5d9a29539f833047574bf5d3b6f907f32dee5735acecc11aa4686f078108dcf8",
    etcd: "438f56a700d17ce761510a3e63e6fa5c1d587b2dd4d7a22c179c09a649366760",
    kwok: "628f7d277860f524a2a775c217adcc58828e7b59ab0933680315784f1b8b0e37",
  },
};

/** The files that together hold all programs, or undefined when none are published for the architecture. */
export function pinnedDownloads(arch: string): readonly PinnedDownload[] | undefined {
  const name = publishedArch(arch);
  if (name === undefined) return undefined;
  const { kubernetes, etcd, kwok } = DOWNLOADED_VERSIONS;
  const hashes = HASHES[name];
  const server = (program: ProgramName) => `kubernetes/server/bin/${program}`;
  return [
    {
      file: "kubernetes-server.tar.gz",
      url: `https://dl.k8s.io/v${kubernetes}/kubernetes-server-linux-${name}.tar.gz`,
      hash: { algorithm: "SHA-512", hex: hashes.kubernetes },
      members: {
        "kube-apiserver": server("kube-apiserver"),
        "kube-controller-manager": server("kube-controller-manager"),
        "kube-scheduler": server("kube-scheduler"),
      },
    },
    {
      file: "etcd.tar.gz",
      url:
        `https://github.com/etcd-io/etcd/releases/download/v${etcd}/etcd-v${etcd}-linux-${name}.tar.gz`,
      hash: { algorithm: "SHA-256", hex: hashes.etcd },
      members: { etcd: `etcd-v${etcd}-linux-${name}/etcd` },
    },
    {
      file: "kwok",
      url: `https://github.com/kubernetes-sigs/kwok/releases/download/v${kwok}/kwok-linux-${name}`,
      hash: { algorithm: "SHA-256", hex: hashes.kwok },
      program: "kwok",
    },
  ];
}
