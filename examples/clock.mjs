// A clock that ticks, and cleans up when it is told to stop.
const ticking = setInterval(() => console.log(`tick at ${new Date().toISOString()}`), 5_000);
console.log('the clock is running');

process.on('SIGTERM', () => {
  clearInterval(ticking);
  console.log('the clock stops');
});
