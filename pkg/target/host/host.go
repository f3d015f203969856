// Package host is the target for machines: it runs services under systemd on them, over
// SSH, and needs nothing installed there but what a machine with systemd has.
//
// There is one connection per machine, which carries all commands side by side and one
// watch: a command that stays there and tells when a unit of Spock's moves, so that
// nothing is asked again and again. What is sent is known by its content and sent once,
// a broken upload goes on where it stopped. A service is switched by renaming one
// symbolic link, and what it was before stays for going back.
//
// On the machine everything is root's and private: secrets come through the standard
// input of a command, never in its words. A controller that is not the newest one any
// more is refused by the machine itself, by the epoch that the newest has left there.
package host
