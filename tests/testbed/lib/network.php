<?php
/**
 * What the two further sites of a network contain, and which plugins run where:
 * `wp eval-file network.php` on the first site.
 */
$must = static function ( $result ) {
	if ( ! $result || is_wp_error( $result ) ) {
		WP_CLI::error( is_wp_error( $result ) ? $result : 'the network could not be seeded' );
	}
	return $result;
};
global $wpdb;
$network = get_network();
foreach ( array( 'nord' => 'Chez Lucie du Nord', 'sud' => 'Chez Lucie du Sud' ) as $slug => $title ) {
	$id = $must( wpmu_create_blog( $network->domain, $network->path . "$slug/", $title, 1, array( 'public' => 1 ) ) );
	// WordPress itself takes the port out of an address.
	$must( false !== $wpdb->update( $wpdb->blogs, array( 'domain' => $network->domain ), array( 'blog_id' => $id ) ) );
	clean_blog_cache( $id );
	switch_to_blog( $id );
	foreach ( array( 'siteurl', 'home' ) as $option ) {
		update_option( $option, "http://{$network->domain}{$network->path}$slug" );
	}
	$must( wp_insert_post( array( 'post_type' => 'page', 'post_name' => 'contact', 'post_title' => "Contact ($slug)", 'post_content' => "<p>$title</p>", 'post_status' => 'publish', 'post_author' => 1 ), true ) );
	$must( wp_insert_comment( array( 'comment_post_ID' => 1, 'comment_author' => 'Lucie', 'comment_content' => "Bravo, $slug !", 'comment_approved' => 1 ) ) );
	if ( 'nord' === $slug && is_file( WP_PLUGIN_DIR . '/tb-table/tb-table.php' ) ) {
		// It makes its table when it is activated: here, and no longer on the first site.
		$must( null === activate_plugin( 'tb-table/tb-table.php' ) );
	}
	restore_current_blog();
}
if ( is_file( WP_PLUGIN_DIR . '/tb-table/tb-table.php' ) ) {
	deactivate_plugins( 'tb-table/tb-table.php', true, false );
	deactivate_plugins( 'tb-base/tb-base.php', true, false );
	$must( null === activate_plugin( 'tb-base/tb-base.php', '', true, true ) );
}
