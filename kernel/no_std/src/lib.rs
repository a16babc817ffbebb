//! The kernel in a program without std. If anything below the kernel brought std with it, there would be two panic handlers,
//! and this would not build.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use downbeat_kernel::{Budget, Config, Discard, Event, Kernel, Outcome, TaskId};

/// Has no memory to give.
struct Nothing;

// SAFETY: it never gives out memory, so it never gives out memory that is not fit.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Takes a step, so that the kernel is linked and not only compiled.
#[unsafe(no_mangle)]
pub extern "C" fn submit(task: u64) -> bool {
    let mut kernel = Kernel::new(Config::default());
    kernel.step(Event::TaskSubmitted { task: TaskId(task), budget: Budget::default() }, &mut Discard) == Outcome::Applied
}
