/** A server's network card. */

/** A network card of a server, with what lists show of its port. */
export interface Nic {
  readonly port_id: string
  readonly network_id: string
  /** The network's name. */
  readonly label: string
  readonly mac_address: string
  readonly mtu: number
  readonly vif_name: string
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[]
  readonly floating_ips: readonly {
    readonly id: string
    readonly fixed_ip_address: string
    readonly floating_ip_address: string
  }[]
  /** True: made for the server, deleted with it. False: given by the caller, let go with it. */
  readonly ours: boolean
  readonly tag: string | null
}
