/* SPDX-License-Identifier: Apache-2.0 */
/* BPF programs as arrays of instructions, written as in the kernel's own sources, and the system
 * call. */
#pragma once

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* clang-format off */
#define INSN(code_, dst, src, off_, imm_)                                                          \
    ((struct bpf_insn){.code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_)})
#define MOVE(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define WITH(operation, dst, value) INSN(BPF_ALU64 | (operation) | BPF_K, dst, 0, 0, value)
#define LOAD(dst, src, off) INSN(BPF_LDX | BPF_MEM | BPF_W, dst, src, off, 0)
#define STORE(dst, off, src) INSN(BPF_STX | BPF_MEM | BPF_W, dst, src, off, 0)
#define STORE_LONG(dst, off, src) INSN(BPF_STX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define IF_SAME(reg, value, to) INSN(BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0, to, value)
#define UNLESS_SAME(reg, value, to) INSN(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, to, value)
#define PACKET_BYTE(at) INSN(BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, (int)(at))
#define PACKET_BYTE_AT(reg, at) INSN(BPF_LD | BPF_IND | BPF_B, 0, reg, 0, at)
#define PACKET_WORD(at) INSN(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, at)
#define IF_NULL(reg, to) INSN(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, to, 0)
#define GO(to) INSN(BPF_JMP | BPF_JA, 0, 0, to, 0)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define RETURN() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LOAD_MAP(dst, fd) INSN(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
/* clang-format on */

/* PACKET_… load into register 0, in the host's byte order, what is in the packet of which register
 * 6 has the context, and overwrite registers 1 to 5. Without that part of the packet, the program
 * ends with 0. */

static inline long bpf_call(int command, union bpf_attr *attr)
{
    return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A pointer as the kernel takes it. */
static inline uint64_t bpf_pointer(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}
