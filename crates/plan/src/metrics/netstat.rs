//! What the network protocols count.

metrics! { "netstat" from "/proc/net/{netstat,snmp,snmp6}" {
    untyped node_netstat_Icmp6_InErrors from "Icmp6_InErrors": "InErrors of the protocol Icmp6.";
    untyped node_netstat_Icmp6_InMsgs from "Icmp6_InMsgs": "InMsgs of the protocol Icmp6.";
    untyped node_netstat_Icmp6_OutMsgs from "Icmp6_OutMsgs": "OutMsgs of the protocol Icmp6.";
    untyped node_netstat_Icmp_InErrors from "Icmp_InErrors": "InErrors of the protocol Icmp.";
    untyped node_netstat_Icmp_InMsgs from "Icmp_InMsgs": "InMsgs of the protocol Icmp.";
    untyped node_netstat_Icmp_OutMsgs from "Icmp_OutMsgs": "OutMsgs of the protocol Icmp.";
    untyped node_netstat_Ip6_InOctets from "Ip6_InOctets": "InOctets of the protocol Ip6.";
    untyped node_netstat_Ip6_OutOctets from "Ip6_OutOctets": "OutOctets of the protocol Ip6.";
    untyped node_netstat_IpExt_InOctets from "IpExt_InOctets": "InOctets of the protocol IpExt.";
    untyped node_netstat_IpExt_OutOctets from "IpExt_OutOctets": "OutOctets of the protocol IpExt.";
    untyped node_netstat_Ip_Forwarding from "Ip_Forwarding": "Forwarding of the protocol Ip.";
    untyped node_netstat_TcpExt_ListenDrops from "TcpExt_ListenDrops": "ListenDrops of the protocol TcpExt.";
    untyped node_netstat_TcpExt_ListenOverflows from "TcpExt_ListenOverflows": "ListenOverflows of the protocol TcpExt.";
    untyped node_netstat_TcpExt_SyncookiesFailed from "TcpExt_SyncookiesFailed": "SyncookiesFailed of the protocol TcpExt.";
    untyped node_netstat_TcpExt_SyncookiesRecv from "TcpExt_SyncookiesRecv": "SyncookiesRecv of the protocol TcpExt.";
    untyped node_netstat_TcpExt_SyncookiesSent from "TcpExt_SyncookiesSent": "SyncookiesSent of the protocol TcpExt.";
    untyped node_netstat_TcpExt_TCPOFOQueue from "TcpExt_TCPOFOQueue": "TCPOFOQueue of the protocol TcpExt.";
    untyped node_netstat_TcpExt_TCPRcvQDrop from "TcpExt_TCPRcvQDrop": "TCPRcvQDrop of the protocol TcpExt.";
    untyped node_netstat_TcpExt_TCPSynRetrans from "TcpExt_TCPSynRetrans": "TCPSynRetrans of the protocol TcpExt.";
    untyped node_netstat_TcpExt_TCPTimeouts from "TcpExt_TCPTimeouts": "TCPTimeouts of the protocol TcpExt.";
    untyped node_netstat_Tcp_ActiveOpens from "Tcp_ActiveOpens": "ActiveOpens of the protocol Tcp.";
    untyped node_netstat_Tcp_CurrEstab from "Tcp_CurrEstab": "CurrEstab of the protocol Tcp.";
    untyped node_netstat_Tcp_InErrs from "Tcp_InErrs": "InErrs of the protocol Tcp.";
    untyped node_netstat_Tcp_InSegs from "Tcp_InSegs": "InSegs of the protocol Tcp.";
    untyped node_netstat_Tcp_MaxConn from "Tcp_MaxConn": "MaxConn of the protocol Tcp.";
    untyped node_netstat_Tcp_OutRsts from "Tcp_OutRsts": "OutRsts of the protocol Tcp.";
    untyped node_netstat_Tcp_OutSegs from "Tcp_OutSegs": "OutSegs of the protocol Tcp.";
    untyped node_netstat_Tcp_PassiveOpens from "Tcp_PassiveOpens": "PassiveOpens of the protocol Tcp.";
    untyped node_netstat_Tcp_RetransSegs from "Tcp_RetransSegs": "RetransSegs of the protocol Tcp.";
    untyped node_netstat_Udp6_InDatagrams from "Udp6_InDatagrams": "InDatagrams of the protocol Udp6.";
    untyped node_netstat_Udp6_InErrors from "Udp6_InErrors": "InErrors of the protocol Udp6.";
    untyped node_netstat_Udp6_NoPorts from "Udp6_NoPorts": "NoPorts of the protocol Udp6.";
    untyped node_netstat_Udp6_OutDatagrams from "Udp6_OutDatagrams": "OutDatagrams of the protocol Udp6.";
    untyped node_netstat_Udp6_RcvbufErrors from "Udp6_RcvbufErrors": "RcvbufErrors of the protocol Udp6.";
    untyped node_netstat_Udp6_SndbufErrors from "Udp6_SndbufErrors": "SndbufErrors of the protocol Udp6.";
    untyped node_netstat_UdpLite6_InErrors from "UdpLite6_InErrors": "InErrors of the protocol UdpLite6.";
    untyped node_netstat_UdpLite_InErrors from "UdpLite_InErrors": "InErrors of the protocol UdpLite.";
    untyped node_netstat_Udp_InDatagrams from "Udp_InDatagrams": "InDatagrams of the protocol Udp.";
    untyped node_netstat_Udp_InErrors from "Udp_InErrors": "InErrors of the protocol Udp.";
    untyped node_netstat_Udp_NoPorts from "Udp_NoPorts": "NoPorts of the protocol Udp.";
    untyped node_netstat_Udp_OutDatagrams from "Udp_OutDatagrams": "OutDatagrams of the protocol Udp.";
    untyped node_netstat_Udp_RcvbufErrors from "Udp_RcvbufErrors": "RcvbufErrors of the protocol Udp.";
    untyped node_netstat_Udp_SndbufErrors from "Udp_SndbufErrors": "SndbufErrors of the protocol Udp.";
} }
